# SPDX-License-Identifier: BSD-3-Clause
using LibSpecex
using Test

include("small_case.jl")

@testset "LibSpecex" begin
    include("test_abi.jl")
    include("test_context.jl")
    include("test_extract.jl")
    include("test_device.jl")
    include("test_callbacks.jl")
    if has_files()
        include("test_fits.jl")
    else
        @test_skip "the library was built without FITS files"
    end
    include("test_memory.jl")
end
