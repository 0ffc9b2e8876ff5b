# SPDX-License-Identifier: BSD-3-Clause
#
# What the package mirrors of the C headers is what the manifest says, all of it.

const manifest = get(ENV, "SPECEX_ABI_MANIFEST") do
    joinpath(@__DIR__, "..", "..", "..", "tests", "abi", "manifest.txt")
end

matches(type, text) = text == "pointer" ? type <: Union{Ptr, Cstring} :
                      text == Dict(Int32 => "int32_t", Int64 => "int64_t",
                                   Float64 => "double")[eltype(type)]

mirrored(name) = getfield(LibSpecex, Symbol(name))

@testset "abi" begin
    described = Dict{DataType, Int}()
    for line in eachline(manifest)
        words = split(line)
        kind, name, rest = words[1], words[2], words[3:end]
        if kind == "symbol"
            @test mirrored(name) isa Function
            @test LibSpecex.entry(Symbol(name)) != C_NULL
        elseif kind == "value"
            @test mirrored(name) == parse(Int, rest[1])
        elseif kind == "size"
            @test sizeof(mirrored(name)) == parse(Int, rest[1])
            described[mirrored(name)] = 0
        elseif kind == "field"
            type, field = mirrored(name), Symbol(rest[1])
            index = findfirst(isequal(field), fieldnames(type))
            @test fieldoffset(type, index) == parse(Int, rest[2])
            @test sizeof(fieldtype(type, index)) == parse(Int, rest[3])
            @test matches(fieldtype(type, index), rest[4])
            described[type] += 1
        end
    end
    @test length(described) == 10
    for (type, count) in described
        @test fieldcount(type) == count
    end
end
