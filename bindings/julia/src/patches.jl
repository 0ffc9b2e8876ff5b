# SPDX-License-Identifier: BSD-3-Clause

"A piece of a bundle that is solved on its own, with the fields of `specex_patch`: fibres,
bins and pixels are numbered from 0, as in C."
const Patch = specex_patch

"""
The spectra of a patch: `flux`, `ivar`, `chi2pix`, `pixmask_fraction` and `mask` are
`[nbin, nfiber]`, `resolution` is `[nbin, ndiag, nfiber]`, `model` `[nx, ny]` of the
patch's pixels. `status` and `path` say how it went (`SPECEX_...`, `SPECEX_PATH_...`).
"""
struct PatchResult
    status::Int32
    path::Int32
    flux::Matrix{Float64}
    ivar::Matrix{Float64}
    resolution::Array{Float64, 3}
    chi2pix::Matrix{Float64}
    pixmask_fraction::Matrix{Float64}
    mask::Matrix{Int32}
    model::Maybe{Matrix{Float64}}
end

const result_arrays = (:flux, :ivar, :resolution, :chi2pix, :pixmask_fraction, :mask,
                       :model)

# The size of an array of a patch's result.
function array_size(name, patch)
    name == :model && return (Int(patch.xmax - patch.xmin), Int(patch.ymax - patch.ymin))
    name == :resolution && return (Int(patch.nbin), Int(patch.ndiag), Int(patch.nfiber))
    return (Int(patch.nbin), Int(patch.nfiber))
end

function empty_result(patch::Patch, model)
    function array(name)
        name == :model && !model && return nothing
        type = name == :mask ? Int32 : Float64
        return Array{type}(undef, array_size(name, patch))
    end
    return PatchResult(SPECEX_OK, SPECEX_PATH_NONE, array.(result_arrays)...)
end

# The C struct, for use while the result is preserved.
c_struct(result::PatchResult) =
    changed(addresses(specex_result, result, result_arrays); status = result.status,
            path = result.path)

with_outcome(result::PatchResult, view::specex_result) =
    PatchResult(view.status, view.path,
                (getfield(result, name) for name in result_arrays)...)

"""
    plan(context, grid, fibers)

The patches into which the extraction of these fibres, **numbered from 0**, is divided.
"""
function plan(context::Context, grid::Grid, fibers::AbstractUnitRange)
    count = Ref{Int64}(0)
    ask(patches, capacity) = call(specex_plan, context, Ref(grid), Int32(first(fibers)),
                                  Int32(length(fibers)), patches, capacity, count)
    ask(C_NULL, 0)
    patches = fill(filled(Patch), count[])
    ask(patches, length(patches))
    return patches
end

"""
    extract_patches(context, image, patches; model = false)

Extracts patches that [`plan`](@ref) made, in parallel. A failed one has its own status.
"""
function extract_patches(context::Context, image::Image, patches::Vector{Patch};
                         model = false)
    results = [empty_result(patch, model) for patch in patches]
    views = c_struct.(results)
    GC.@preserve image results call(specex_extract_patches, context, Ref(c_struct(image)),
                                    patches, length(patches), views)
    return with_outcome.(results, views)
end

"""
    assemble(context, grid, fibers, patches, results; resolution = true)
    assemble(context, grid, fibers, patches, results, (nx, ny); resolution = true)

Places patches in a frame of the given fibres, **numbered from 0**; with the size of the
image, the model is assembled, too.
"""
function assemble(context::Context, grid::Grid, fibers::AbstractUnitRange,
                  patches::Vector{Patch}, results::Vector{PatchResult},
                  image_size = nothing; resolution = true)
    need_size("results", results, size(patches))
    for (patch, result) in zip(patches, results), name in result_arrays
        need_size("$name of a result", getfield(result, name), array_size(name, patch))
    end
    nx, ny = image_size === nothing ? (0, 0) : image_size
    frame = empty_frame(context, grid, fibers, nx, ny, resolution, image_size !== nothing)
    frame.wavelength .= grid.wavemin .+ grid.wavestep .* (0:(grid.nwave - 1))
    views = c_struct.(results)
    return fill_frame(frame) do view
        GC.@preserve results call(specex_assemble, context, patches, views,
                                  length(patches), view)
    end
end
