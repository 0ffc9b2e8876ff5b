# SPDX-License-Identifier: BSD-3-Clause

"""
    Psf(; xtrace, ytrace, param_names, params, xtrace_range, ytrace_range, param_range,
        hsizex, hsizey, ghdegx, ghdegy, nx = 0, ny = 0, psferr = 0.0)
    Psf(file)

A Gauss-Hermite PSF: Legendre coefficients of the traces, `[ncoef, nspec]`, and of the
parameters, `[ncoef, nspec, nparam]`, each over a range `(wavemin, wavemax)` in Angstrom.
"""
struct Psf
    xtrace::DenseMatrix{Float64}
    ytrace::DenseMatrix{Float64}
    param_names::Vector{String}
    params::DenseArray{Float64, 3}
    xtrace_range::Tuple{Float64, Float64}
    ytrace_range::Tuple{Float64, Float64}
    param_range::Tuple{Float64, Float64}
    hsizex::Int
    hsizey::Int
    ghdegx::Int
    ghdegy::Int
    nx::Int
    ny::Int
    psferr::Float64
end

function Psf(; xtrace, ytrace, param_names, params, xtrace_range, ytrace_range,
             param_range, hsizex, hsizey, ghdegx, ghdegy, nx = 0, ny = 0, psferr = 0.0)
    return checked(Psf(dense(xtrace, Float64), dense(ytrace, Float64), param_names,
                       dense(params, Float64), xtrace_range, ytrace_range, param_range,
                       hsizex, hsizey, ghdegx, ghdegy, nx, ny, psferr))
end

# The library takes the number of fibres from xtrace, of parameters from their names.
function checked(psf::Psf)
    nspec = size(psf.xtrace, 2)
    need_size("ytrace", psf.ytrace, (size(psf.ytrace, 1), nspec))
    need_size("params", psf.params, (size(psf.params, 1), nspec, length(psf.param_names)))
    return psf
end

function Psf(file::FitsFile)
    view = Ref(filled(specex_psf))
    check(specex_fits_get_psf(file, view))
    psf = view[]
    names = unsafe_wrap(Array, psf.param_names, Int(psf.nparam))
    return Psf(xtrace = borrow(file, psf.xtrace, psf.xtrace_ncoef, psf.nspec),
               ytrace = borrow(file, psf.ytrace, psf.ytrace_ncoef, psf.nspec),
               param_names = GC.@preserve(file, unsafe_string.(names)),
               params = borrow(file, psf.params, psf.ncoef, psf.nspec, psf.nparam),
               xtrace_range = (psf.xtrace_wavemin, psf.xtrace_wavemax),
               ytrace_range = (psf.ytrace_wavemin, psf.ytrace_wavemax),
               param_range = (psf.wavemin, psf.wavemax), hsizex = psf.hsizex,
               hsizey = psf.hsizey, ghdegx = psf.ghdegx, ghdegy = psf.ghdegy,
               nx = psf.nx, ny = psf.ny, psferr = psf.psferr)
end

# Calls body with the C struct, whose pointers hold until body returns.
function with_c(body, psf::Psf)
    checked(psf)
    names = Base.cconvert.(Cstring, psf.param_names)
    GC.@preserve psf names begin
        pointers = Cstring[Base.unsafe_convert(Cstring, name) for name in names]
        GC.@preserve pointers begin
            body(Ref(filled(
                specex_psf; kind = SPECEX_PSF_GAUSS_HERMITE, nspec = size(psf.xtrace, 2),
                nx = psf.nx, ny = psf.ny, hsizex = psf.hsizex, hsizey = psf.hsizey,
                ghdegx = psf.ghdegx, ghdegy = psf.ghdegy,
                xtrace_wavemin = first(psf.xtrace_range),
                xtrace_wavemax = last(psf.xtrace_range),
                ytrace_wavemin = first(psf.ytrace_range),
                ytrace_wavemax = last(psf.ytrace_range),
                wavemin = first(psf.param_range), wavemax = last(psf.param_range),
                xtrace_ncoef = size(psf.xtrace, 1), ytrace_ncoef = size(psf.ytrace, 1),
                nparam = length(pointers), ncoef = size(psf.params, 1),
                xtrace = address(psf.xtrace), ytrace = address(psf.ytrace),
                param_names = pointer(pointers), params = address(psf.params),
                psferr = psf.psferr)))
        end
    end
end

"""
    set_psf!(context, psf)

Checks and copies a [`Psf`](@ref), or that of a file, into the context.
"""
function set_psf!(context::Context, psf::Psf)
    with_c(view -> call(specex_set_psf, context, view), psf)
    return context
end
set_psf!(context::Context, file::FitsFile) = set_psf!(context, Psf(file))

"""
    psf_info(context)

What the context's PSF says of sizes: `nspec`, `ndiag`, `spot_nx`, `spot_ny`, `wavemin`,
`wavemax`, `psferr`, `nx` and `ny`.
"""
function psf_info(context::Context)
    info = Ref(filled(specex_psf_info))
    call(specex_get_psf_info, context, info)
    return info[]
end

"""
    trace(context, fiber, wave)

The pixels `(x, y)`, from 0 and at the centre of a pixel an integer, where the light of a
fibre (numbered from 0) of the given wavelengths falls.
"""
function trace(context::Context, fiber::Integer, wave::AbstractVector)
    wave = dense(wave, Float64)
    x, y = similar(wave, Float64), similar(wave, Float64)
    call(specex_trace, context, Int32(fiber), wave, length(wave), x, y)
    return x, y
end
