# SPDX-License-Identifier: BSD-3-Clause
#
# The structs of specex.h and fits.h, field by field; their meaning is told there.

struct specex_options
    struct_size::Int64
    backend::Int32
    num_threads::Int32
    compat::Int32
    decorrelate::Int32
    bundlesize::Int32
    nsubbundles::Int32
    nwavestep::Int32
    wavepad::Int32
    wavepad_frac::Float64
    pixpad_frac::Float64
    regularize::Float64
    psferr::Float64
    strict::Int32
    device::Int32
    num_devices::Int32
    reserved0::Int32
    device_memory::Int64
    spot_memory::Int64
    reserved::NTuple{5, Int64}
end

struct specex_psf
    struct_size::Int64
    kind::Int32
    nspec::Int32
    nx::Int64
    ny::Int64
    hsizex::Int32
    hsizey::Int32
    ghdegx::Int32
    ghdegy::Int32
    xtrace_wavemin::Float64
    xtrace_wavemax::Float64
    ytrace_wavemin::Float64
    ytrace_wavemax::Float64
    wavemin::Float64
    wavemax::Float64
    xtrace_ncoef::Int32
    ytrace_ncoef::Int32
    nparam::Int32
    ncoef::Int32
    xtrace::Ptr{Float64}
    ytrace::Ptr{Float64}
    param_names::Ptr{Cstring}
    params::Ptr{Float64}
    psferr::Float64
    reserved::NTuple{6, Int64}
end

struct specex_psf_info
    struct_size::Int64
    nspec::Int32
    ndiag::Int32
    spot_nx::Int32
    spot_ny::Int32
    wavemin::Float64
    wavemax::Float64
    psferr::Float64
    nx::Int64
    ny::Int64
    reserved::NTuple{4, Int64}
end

struct specex_image
    struct_size::Int64
    type::Int32
    memory::Int32
    nx::Int64
    ny::Int64
    pixels::Ptr{Cvoid}
    ivar::Ptr{Cvoid}
    pixels_stride::Int64
    ivar_stride::Int64
    reserved::NTuple{4, Int64}
end

struct specex_grid
    struct_size::Int64
    wavemin::Float64
    wavestep::Float64
    nwave::Int64
    reserved::NTuple{2, Int64}
end

struct specex_patch
    struct_size::Int64
    wavemin::Float64
    wavestep::Float64
    first_fiber::Int32
    nfiber::Int32
    first_bin::Int32
    nbin::Int32
    nkeep::Int32
    pad_first_fiber::Int32
    pad_nfiber::Int32
    pad_first_bin::Int32
    pad_nbin::Int32
    ymin::Int32
    ymax::Int32
    xmin::Int32
    xmax::Int32
    ndiag::Int32
    first_bundle_fiber::Int32
    reserved0::Int32
    reserved1::Int32
    reserved::NTuple{2, Int64}
end

struct specex_result
    struct_size::Int64
    status::Int32
    path::Int32
    flux::Ptr{Float64}
    ivar::Ptr{Float64}
    resolution::Ptr{Float64}
    chi2pix::Ptr{Float64}
    pixmask_fraction::Ptr{Float64}
    mask::Ptr{Int32}
    model::Ptr{Float64}
    reserved::NTuple{4, Int64}
end

struct specex_frame
    struct_size::Int64
    first_fiber::Int32
    nspec::Int32
    nwave::Int64
    ndiag::Int32
    memory::Int32
    wavelength::Ptr{Float64}
    flux::Ptr{Float64}
    ivar::Ptr{Float64}
    resolution::Ptr{Float64}
    chi2pix::Ptr{Float64}
    pixmask_fraction::Ptr{Float64}
    mask::Ptr{Int32}
    model::Ptr{Float64}
    model_nx::Int64
    model_ny::Int64
    npatch::Int64
    npatch_failed::Int64
    nbadpixel::Int64
    npath_dense::Int64
    npath_banded::Int64
    npath_vector::Int64
    reserved::NTuple{8, Int64}
end

struct specex_fits_card
    name::Cstring
    value::Cstring
    comment::Cstring
    type::Int32
    reserved0::Int32
end

struct specex_fits_output
    struct_size::Int64
    input::Ptr{Cvoid}
    cards::Ptr{specex_fits_card}
    ncard::Int64
    float64::Int32
    scores::Int32
    fibermap::Ptr{Cvoid}
    reserved::NTuple{4, Int64}
end

zero_of(::Type{T}) where {T<:Number} = zero(T)
zero_of(::Type{P}) where {P<:Ptr} = P(C_NULL)
zero_of(::Type{Cstring}) = Cstring(C_NULL)
zero_of(::Type{NTuple{N, T}}) where {N, T} = ntuple(_ -> zero(T), N)

"""
A C struct with the given fields, its own size where it has a place for that, and zeros
elsewhere.
"""
filled(::Type{T}; fields...) where {T} = filled(T, Dict{Symbol, Any}(fields))

function filled(::Type{T}, fields::Dict{Symbol, Any}) where {T}
    values = map(collect(Any, fieldnames(T))) do name
        name == :struct_size ? sizeof(T) :
        haskey(fields, name) ? fields[name] : zero_of(fieldtype(T, name))
    end
    return T(values...)
end

"A C struct with some of its fields changed."
function changed(view::T; fields...) where {T}
    all_fields = Dict{Symbol, Any}(name => getfield(view, name) for name in fieldnames(T))
    return filled(T, merge!(all_fields, Dict{Symbol, Any}(fields)))
end
