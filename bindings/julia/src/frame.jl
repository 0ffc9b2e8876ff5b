# SPDX-License-Identifier: BSD-3-Clause

"The wavelength grid of `specex_grid`: bin `w` of C, `w + 1` of Julia, is at
`wavemin + w * wavestep`."
const Grid = specex_grid

"""
    Grid(wavemin, wavemax, wavestep)

The grid from `wavemin` up to `wavemax + wavestep / 2`, in Angstrom.
"""
function Grid(wavemin::Real, wavemax::Real, wavestep::Real)
    grid = Ref(filled(specex_grid))
    check(specex_grid_from_range(wavemin, wavemax, wavestep, grid))
    return grid[]
end

"""
Extracted spectra of the fibres `first_fiber : first_fiber + size(flux, 2) - 1`,
**numbered from 0**. `flux`, `ivar`, `chi2pix`, `pixmask_fraction` and `mask` are
`[nwave, nspec]`, `wavelength` is `[nwave]`, `resolution` `[nwave, ndiag, nspec]` and
`model` `[nx, ny]`; what is not wanted is `nothing`. The counts (`npatch`,
`npatch_failed`, `nbadpixel`, `npath_dense`, `npath_banded`, `npath_vector`) are the
library's.
"""
struct Frame
    first_fiber::Int
    wavelength::DenseVector{Float64}
    flux::DenseMatrix{Float64}
    ivar::Maybe{DenseMatrix{Float64}}
    resolution::Maybe{DenseArray{Float64, 3}}
    chi2pix::Maybe{DenseMatrix{Float64}}
    pixmask_fraction::Maybe{DenseMatrix{Float64}}
    mask::Maybe{DenseMatrix{Int32}}
    model::Maybe{DenseMatrix{Float64}}
    npatch::Int
    npatch_failed::Int
    nbadpixel::Int
    npath_dense::Int
    npath_banded::Int
    npath_vector::Int
end

const frame_arrays = (:wavelength, :flux, :ivar, :resolution, :chi2pix, :pixmask_fraction,
                      :mask, :model)
const frame_counts = (:npatch, :npatch_failed, :nbadpixel, :npath_dense, :npath_banded,
                      :npath_vector)

"""
    Frame(; first_fiber = 0, wavelength, flux, arrays...)

A frame to be written, or to be filled, of arrays that came from elsewhere.
"""
function Frame(; first_fiber = 0, wavelength, flux, ivar = nothing, resolution = nothing,
               chi2pix = nothing, pixmask_fraction = nothing, mask = nothing,
               model = nothing)
    return checked(Frame(first_fiber, dense(wavelength, Float64), dense(flux, Float64),
                         dense(ivar, Float64), dense(resolution, Float64),
                         dense(chi2pix, Float64), dense(pixmask_fraction, Float64),
                         dense(mask, Int32), dense(model, Float64),
                         (0 for _ in frame_counts)...))
end

# The library takes the sizes of all arrays from flux and resolution.
function checked(frame::Frame)
    nwave, nspec = size(frame.flux)
    need_size("wavelength", frame.wavelength, (nwave,))
    for name in (:ivar, :chi2pix, :pixmask_fraction, :mask)
        need_size(name, getfield(frame, name), (nwave, nspec))
    end
    if frame.resolution !== nothing
        need_size("resolution", frame.resolution, (nwave, size(frame.resolution, 2), nspec))
    end
    return frame
end

function Frame(file::FitsFile)
    view = Ref(filled(specex_frame))
    check(specex_fits_get_frame(file, view))
    frame = view[]
    nwave, nspec, ndiag = frame.nwave, frame.nspec, frame.ndiag
    spectra(address) = borrow(file, address, nwave, nspec)
    return Frame(frame.first_fiber, borrow(file, frame.wavelength, nwave),
                 spectra(frame.flux), spectra(frame.ivar),
                 borrow(file, frame.resolution, nwave, ndiag, nspec),
                 spectra(frame.chi2pix), spectra(frame.pixmask_fraction),
                 spectra(frame.mask),
                 borrow(file, frame.model, frame.model_nx, frame.model_ny),
                 (getfield(frame, name) for name in frame_counts)...)
end

# A frame of the given fibres for the library to fill.
function empty_frame(context, grid, fibers, nx, ny, resolution, model)
    nwave, nspec, ndiag = Int(grid.nwave), length(fibers), Int(psf_info(context).ndiag)
    array(type, sizes...) = Array{type}(undef, sizes)
    spectra(type) = array(type, nwave, nspec)
    return Frame(first(fibers), array(Float64, nwave), spectra(Float64), spectra(Float64),
                 resolution ? array(Float64, nwave, ndiag, nspec) : nothing,
                 spectra(Float64), spectra(Float64), spectra(Int32),
                 model ? array(Float64, nx, ny) : nothing, (0 for _ in frame_counts)...)
end

# The C struct, for use while the frame is preserved.
function c_struct(frame::Frame)
    checked(frame)
    resolution, model = frame.resolution, frame.model
    model_nx, model_ny = model === nothing ? (0, 0) : size(model)
    nwave, nspec = size(frame.flux)
    arrays = (getfield(frame, name) for name in frame_arrays)
    return changed(addresses(specex_frame, frame, frame_arrays);
                   memory = common_memory(frame.flux, arrays...),
                   first_fiber = frame.first_fiber, nspec = nspec, nwave = nwave,
                   model_nx = model_nx, model_ny = model_ny,
                   ndiag = resolution === nothing ? 0 : size(resolution, 2))
end

# The frame with the counts that the library put into its C struct.
function counted(frame::Frame, view::specex_frame)
    fields = fieldnames(Frame)
    source(name) = name in frame_counts ? view : frame
    return Frame((getfield(source(name), name) for name in fields)...)
end

# Lets the library fill a frame: body gets the C struct.
function fill_frame(body, frame::Frame)
    view = Ref(c_struct(frame))
    GC.@preserve frame body(view)
    return counted(frame, view[])
end

"""
    extract_frame(context, image, grid, fibers; resolution = true, model = false)

Extracts the fibres of a range, **numbered from 0**: `0:24` are the first 25. A failed
patch is masked and counted in the frame's `npatch_failed`; it is no exception.
"""
function extract_frame(context::Context, image::Image, grid::Grid,
                       fibers::AbstractUnitRange; resolution = true, model = false)
    frame = empty_frame(context, grid, fibers, size(image.pixels)..., resolution, model)
    return extract_frame!(frame, context, image, grid)
end

"""
    extract_frame!(frame, context, image, grid)

Extracts the fibres of a frame into those arrays that it has, and gives the frame with
its counts. They may be [`DeviceArray`](@ref)s, wherever the image is.
"""
function extract_frame!(frame::Frame, context::Context, image::Image, grid::Grid)
    nspec = Int32(size(frame.flux, 2))
    return fill_frame(frame) do view
        GC.@preserve image call(specex_extract_frame, context, Ref(c_struct(image)),
                                Ref(grid), Int32(frame.first_fiber), nspec, view)
    end
end

"""
    project(context, grid, fibers, spectra, nx, ny)

The image `[nx, ny]`, in electrons, of spectra `[nwave, nspec]` in electrons per Angstrom,
of fibres **numbered from 0**.
"""
function project(context::Context, grid::Grid, fibers::AbstractUnitRange,
                 spectra::AbstractMatrix, nx::Integer, ny::Integer)
    need_size("spectra", spectra, (Int(grid.nwave), length(fibers)))
    image = Matrix{Float64}(undef, max(nx, 0), max(ny, 0))  # the library judges the sizes
    call(specex_project, context, Ref(grid), Int32(first(fibers)), Int32(length(fibers)),
         dense(spectra, Float64), nx, ny, image)
    return image
end
