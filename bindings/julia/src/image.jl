# SPDX-License-Identifier: BSD-3-Clause

"""
    Image(pixels, ivar)
    Image(file)

Pixels in electrons and their inverse variances, both `[nx, ny]`: x, the first axis, is
the CCD's column. `Float32` and `Float64` whose columns have no gaps are used where they
lie. `ivar` may be `nothing` where an image is written only.
"""
struct Image{T <: Union{Float32, Float64}}
    pixels::StridedMatrix{T}
    ivar::Maybe{StridedMatrix{T}}

    function Image{T}(pixels, ivar) where {T}
        need_size("ivar", ivar, size(pixels))
        common_memory(pixels, ivar)
        return new{T}(in_columns(pixels, T), in_columns(ivar, T))
    end
end

Image(pixels::AbstractMatrix, ivar) = Image{pixel_type(pixels, ivar)}(pixels, ivar)

function Image(file::FitsFile)
    view = Ref(filled(specex_image))
    check(specex_fits_get_image(file, view))
    image = view[]
    type = image.type == SPECEX_FLOAT32 ? Float32 : Float64
    # A file's rows have no gaps.
    plane(address) = borrow(file, Ptr{type}(address), image.nx, image.ny)
    return Image{type}(plane(image.pixels), plane(image.ivar))
end

pixel_type(pixels, ::Nothing) = eltype(pixels) == Float32 ? Float32 : Float64
pixel_type(pixels, ivar) = eltype(pixels) == eltype(ivar) == Float32 ? Float32 : Float64

in_columns(::Nothing, ::Type) = nothing
in_columns(plane::AbstractMatrix, ::Type{T}) where {T} = Matrix{T}(plane)
function in_columns(plane::StridedMatrix{T}, ::Type{T}) where {T}
    usable = stride(plane, 1) == 1 && stride(plane, 2) >= size(plane, 1)
    return usable ? plane : Matrix{T}(plane)
end

type_number(::Type{Float32}) = SPECEX_FLOAT32
type_number(::Type{Float64}) = SPECEX_FLOAT64

row_stride(::Nothing) = 0
row_stride(plane) = stride(plane, 2)

# The C struct, for use while the image is preserved.
function c_struct(image::Image{T}) where {T}
    nx, ny = size(image.pixels)
    return filled(specex_image; type = type_number(T), nx = nx, ny = ny,
                  memory = memory_of(image.pixels),
                  pixels = address(image.pixels), ivar = address(image.ivar),
                  pixels_stride = row_stride(image.pixels),
                  ivar_stride = row_stride(image.ivar))
end
