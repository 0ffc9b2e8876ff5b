# SPDX-License-Identifier: BSD-3-Clause
#
# The functions of specex.h and fits.h, as they are declared there.

const library = Ref{Ptr{Cvoid}}(C_NULL)

# Opened when first needed, so that the package loads where the library is yet to come.
# Not with Julia's default RTLD_DEEPBIND: C++ exceptions, which the library turns into
# statuses, would be raised by one unwinder and resumed by another where Julia brings one
# of its own.
function entry(name::Symbol)
    if library[] == C_NULL
        path = get(ENV, "LIBSPECEX_LIBRARY", "libspecex.so.0")
        library[] = Libdl.dlopen(path, Libdl.RTLD_NOW | Libdl.RTLD_LOCAL)
    end
    return Libdl.dlsym(library[], name)
end

"`@c f(x::T, ...)::R` defines the Julia function that calls the C function of that name."
macro c(declaration)
    call, result = declaration.args
    name = call.args[1]
    arguments = [argument.args[1] for argument in call.args[2:end]]
    types = [argument.args[2] for argument in call.args[2:end]]
    return esc(:($name($(arguments...)) = ccall(entry($(QuoteNode(name))), $result,
                                                ($(types...),), $(arguments...))))
end

@c specex_status_name(status::Int32)::Cstring
@c specex_status_text(status::Int32)::Cstring
@c specex_version()::Cstring

@c specex_options_init(options::Ptr{specex_options}, size::Int64)::Int32
@c specex_create(options::Ptr{specex_options}, context::Ptr{Ptr{Cvoid}})::Int32
@c specex_destroy(context::Ptr{Cvoid})::Int32
@c specex_last_error(context::Ptr{Cvoid})::Cstring
@c specex_describe(context::Ptr{Cvoid}, buffer::Ptr{UInt8}, capacity::Int64)::Int32
@c specex_set_log(context::Ptr{Cvoid}, callback::Ptr{Cvoid}, user::Ptr{Cvoid})::Int32
@c specex_set_progress(context::Ptr{Cvoid}, callback::Ptr{Cvoid}, user::Ptr{Cvoid})::Int32

@c specex_set_psf(context::Ptr{Cvoid}, psf::Ptr{specex_psf})::Int32
@c specex_get_psf_info(context::Ptr{Cvoid}, info::Ptr{specex_psf_info})::Int32
@c specex_trace(context::Ptr{Cvoid}, fiber::Int32, wave::Ptr{Float64}, n::Int64,
                x::Ptr{Float64}, y::Ptr{Float64})::Int32

@c specex_grid_from_range(wavemin::Float64, wavemax::Float64, wavestep::Float64,
                          grid::Ptr{specex_grid})::Int32
@c specex_plan(context::Ptr{Cvoid}, grid::Ptr{specex_grid}, first_fiber::Int32,
               nspec::Int32, patches::Ptr{specex_patch}, capacity::Int64,
               count::Ptr{Int64})::Int32
@c specex_extract_patches(context::Ptr{Cvoid}, image::Ptr{specex_image},
                          patches::Ptr{specex_patch}, n::Int64,
                          results::Ptr{specex_result})::Int32
@c specex_assemble(context::Ptr{Cvoid}, patches::Ptr{specex_patch},
                   results::Ptr{specex_result}, n::Int64, frame::Ptr{specex_frame})::Int32
@c specex_extract_frame(context::Ptr{Cvoid}, image::Ptr{specex_image},
                        grid::Ptr{specex_grid}, first_fiber::Int32, nspec::Int32,
                        frame::Ptr{specex_frame})::Int32
@c specex_stage_name(stage::Int32)::Cstring
@c specex_stage_seconds(context::Ptr{Cvoid}, seconds::Ptr{Float64},
                        capacity::Int64)::Int32
@c specex_project(context::Ptr{Cvoid}, grid::Ptr{specex_grid}, first_fiber::Int32,
                  nspec::Int32, spectra::Ptr{Float64}, nx::Int64, ny::Int64,
                  image::Ptr{Float64})::Int32

@c specex_fits_read_image(context::Ptr{Cvoid}, path::Cstring, badmask::Int64,
                          file::Ptr{Ptr{Cvoid}})::Int32
@c specex_fits_read_psf(context::Ptr{Cvoid}, path::Cstring, file::Ptr{Ptr{Cvoid}})::Int32
@c specex_fits_read_frame(context::Ptr{Cvoid}, path::Cstring,
                          file::Ptr{Ptr{Cvoid}})::Int32
@c specex_fits_read_fibermap(context::Ptr{Cvoid}, path::Cstring,
                             file::Ptr{Ptr{Cvoid}})::Int32
@c specex_fits_free(file::Ptr{Cvoid})::Cvoid
@c specex_fits_get_image(file::Ptr{Cvoid}, image::Ptr{specex_image})::Int32
@c specex_fits_get_psf(file::Ptr{Cvoid}, psf::Ptr{specex_psf})::Int32
@c specex_fits_get_frame(file::Ptr{Cvoid}, frame::Ptr{specex_frame})::Int32
@c specex_fits_get_key(file::Ptr{Cvoid}, name::Cstring, buffer::Ptr{UInt8},
                       capacity::Int64)::Int32
@c specex_fits_write_frame(context::Ptr{Cvoid}, path::Cstring, frame::Ptr{specex_frame},
                           output::Ptr{specex_fits_output})::Int32
@c specex_fits_write_image(context::Ptr{Cvoid}, path::Cstring, image::Ptr{specex_image},
                           mask::Ptr{Int32}, output::Ptr{specex_fits_output})::Int32
@c specex_fits_write_psf(context::Ptr{Cvoid}, path::Cstring, psf::Ptr{specex_psf},
                         output::Ptr{specex_fits_output})::Int32
