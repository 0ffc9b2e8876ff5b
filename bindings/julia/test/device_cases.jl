# SPDX-License-Identifier: BSD-3-Clause
#
# What a library whose CUDA backend runs in the host's memory makes of arrays there. Run by
# test_device.jl.
using LibSpecex
using Test

include("small_case.jl")

@testset "device, emulated" begin
    context = small_context(backend = SPECEX_BACKEND_CUDA)
    @test occursin("cuda", describe(context))
    expected = extract_frame(context, image, grid, fibers; model = true)
    on_gpu = Image(DeviceArray(pixels), DeviceArray(image.ivar))
    @test same_arrays(extract_frame(context, on_gpu, grid, fibers; model = true), expected)

    flux, mask = fill(NaN, 30, nspec), zeros(Int32, 30, nspec)
    model, wavelength = fill(NaN, nx, ny), zeros(30)
    frame = Frame(wavelength = DeviceArray(wavelength), flux = DeviceArray(flux),
                  mask = DeviceArray(mask), model = DeviceArray(model))
    filled = extract_frame!(frame, context, on_gpu, grid)
    @test filled.npatch == expected.npatch
    @test flux == expected.flux && wavelength == expected.wavelength
    @test model == expected.model

    results = extract_patches(context, on_gpu, plan(context, grid, fibers))
    @test all(result -> result.status == SPECEX_OK, results)
end
