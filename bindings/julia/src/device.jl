# SPDX-License-Identifier: BSD-3-Clause

"""
    DeviceArray(array)
    DeviceArray{T}(address, size, owner = nothing)

An array without gaps in the memory of the GPU that the context uses: a `CuArray` of
CUDA.jl, or an address (`Ptr` or integer) with a size. An [`Image`](@ref) may be made of
two of them, a [`Frame`](@ref) of as many as it has arrays; `owner` lives as long as they
do. Contexts need `backend = SPECEX_BACKEND_CUDA`.

Their elements cannot be looked at from here. Wait for what fills them, as
`CUDA.synchronize()` does, before a call; it returns when all is complete.
"""
struct DeviceArray{T, N} <: DenseArray{T, N}
    address::Ptr{T}
    size::NTuple{N, Int}
    owner::Any

    DeviceArray{T}(address, size, owner = nothing) where {T} =
        new{T, length(size)}(Ptr{T}(UInt(address)), Tuple(size), owner)
end

# Pointers of CUDA.jl are no Ptr, but become integers as those do.
DeviceArray(array::DenseArray{T}) where {T} =
    DeviceArray{T}(UInt(pointer(array)), size(array), array)

Base.size(array::DeviceArray) = array.size
Base.strides(array::DeviceArray) = Base.size_to_strides(1, array.size...)
Base.elsize(::Type{<:DeviceArray{T}}) where {T} = sizeof(T)
Base.unsafe_convert(::Type{Ptr{T}}, array::DeviceArray{T}) where {T} = array.address
Base.getindex(::DeviceArray, ::Int...) =
    throw(ArgumentError("a DeviceArray is in the memory of a GPU; copy it to the host"))
Base.show(io::IO, array::DeviceArray) =
    print(io, typeof(array), " of size ", array.size, " at ", array.address)
Base.show(io::IO, ::MIME"text/plain", array::DeviceArray) = show(io, array)

memory_of(::Any) = SPECEX_MEMORY_HOST
memory_of(::DeviceArray) = SPECEX_MEMORY_DEVICE

# Where all of the arrays are that are there.
function common_memory(first, others...)
    memory = memory_of(first)
    for array in others
        array === nothing || memory_of(array) == memory ||
            throw(ArgumentError("arrays are in part in the memory of a GPU"))
    end
    return memory
end
