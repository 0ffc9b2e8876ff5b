# SPDX-License-Identifier: BSD-3-Clause
#
# Arrays go to the library and come from it as they lie in memory: the last axis of C is
# the first of Julia.

"""
What was read from a file: `Image(file)`, `Psf(file)` or `Frame(file)` show what it holds
without copying it, `file["CAMERA"]` is the text of a header key. Its memory is freed with
the last reference to the file and to all arrays taken from it.
"""
mutable struct FitsFile
    handle::Ptr{Cvoid}

    function FitsFile(handle::Ptr{Cvoid})
        return finalizer(specex_fits_free, new(handle))
    end
end

Base.unsafe_convert(::Type{Ptr{Cvoid}}, file::FitsFile) = file.handle

"An array in the memory of a file, which lives as long as its arrays do."
struct Borrowed{T, N} <: DenseArray{T, N}
    array::Array{T, N}
    owner::FitsFile
end

Base.size(borrowed::Borrowed) = size(borrowed.array)
Base.strides(borrowed::Borrowed) = strides(borrowed.array)
Base.IndexStyle(::Type{<:Borrowed}) = IndexLinear()
Base.elsize(::Type{<:Borrowed{T}}) where {T} = sizeof(T)
Base.@propagate_inbounds Base.getindex(borrowed::Borrowed, k::Int) = borrowed.array[k]
Base.@propagate_inbounds Base.setindex!(borrowed::Borrowed, value, k::Int) =
    setindex!(borrowed.array, value, k)
Base.unsafe_convert(::Type{Ptr{T}}, borrowed::Borrowed{T}) where {T} =
    Base.unsafe_convert(Ptr{T}, borrowed.array)

function borrow(file::FitsFile, address::Ptr, sizes::Integer...)
    address == C_NULL && return nothing
    return Borrowed(unsafe_wrap(Array, address, Int.(sizes)), file)
end

const Maybe{T} = Union{Nothing, T}

"The address of an array, or NULL for one that is not wanted."
address(::Nothing) = C_NULL
address(array) = pointer(array)

"A C struct with the addresses of the named arrays of `owner`."
addresses(::Type{T}, owner, names) where {T} =
    filled(T, Dict{Symbol, Any}(name => address(getfield(owner, name)) for name in names))

function need_size(name, array, expected)
    size(array) == expected && return nothing
    throw(DimensionMismatch("$name has size $(size(array)), expected $expected"))
end
need_size(name, ::Nothing, expected) = nothing

# Arrays that lie in memory without gaps are taken as they are, others are copied.
dense(array::DenseArray{T}, ::Type{T}) where {T} = array
dense(array::AbstractArray, ::Type{T}) where {T} = Array{T}(array)
dense(::Nothing, ::Type) = nothing
