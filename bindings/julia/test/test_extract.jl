# SPDX-License-Identifier: BSD-3-Clause
@testset "frame" begin
    context = small_context()
    frame = extract_frame(context, image, grid, fibers; model = true)
    @test size(frame.flux) == size(frame.mask) == (30, nspec)
    @test size(frame.resolution) == (30, 9, nspec)
    @test frame.wavelength == 6000.0:6029.0
    @test frame.npatch > 1 && frame.npatch_failed == 0
    @test all(iszero, frame.mask)
    @test inner(frame.flux) ≈ inner(convolved(truth, frame.resolution)) rtol = 1e-3
    @test inner(frame.model) ≈ inner(pixels) rtol = 1e-2
    @test sum(seconds for (_, seconds) in stage_seconds(context)) > 0
    @test first(stage_seconds(context)[3]) == "spots"
    @test LibSpecex.stage_name(-1) == "unknown"
    @test LibSpecex.specex_stage_seconds(context, C_NULL, 1) == SPECEX_ERROR_ARGUMENT

    plain = extract_frame(context, image, grid, fibers; resolution = false)
    @test plain.resolution === nothing && plain.model === nothing
    @test plain.flux == frame.flux

    # The first column is the first fibre asked for, by its number from 0.
    part = extract_frame(context, image, grid, 3:4)
    @test part.first_fiber == 3
    @test part.flux ≈ frame.flux[:, 4:5]

    test_error(SPECEX_ERROR_RANGE, "fib") do
        extract_frame(context, image, grid, 1:nspec)
    end
    test_error(() -> Grid(6000, 5000, 1), SPECEX_ERROR_ARGUMENT, "wave")
    no_ivar = Image(pixels, nothing)
    test_error(SPECEX_ERROR_ARGUMENT, "ivar") do
        extract_frame(context, no_ivar, grid, fibers)
    end
    @test_throws DimensionMismatch Image(pixels, ones(2, 2))
    test_error(SPECEX_ERROR_RANGE, "fib") do
        project(context, grid, 4:nspec, truth[:, 1:3], nx, ny)
    end
    test_error(SPECEX_ERROR_ARGUMENT, "pixels") do
        project(context, grid, fibers, truth, 0, ny)
    end
    @test_throws DimensionMismatch project(context, grid, 0:2, truth, nx, ny)
end

@testset "where pixels lie" begin
    context = small_context()
    expected = extract_frame(context, image, grid, fibers)
    same(other) = same_arrays(extract_frame(context, other, grid, fibers), expected)
    padded = fill(NaN, nx + 3, ny)
    padded[1:nx, :] = pixels
    inside = view(padded, 1:nx, :)
    @test Image(pixels, image.ivar).pixels === pixels  # not copied
    @test Image(inside, image.ivar).pixels === inside
    @test same(Image(inside, image.ivar))
    @test same(Image(permutedims(pixels)', image.ivar))  # copied into place
    @test same(Image(pixels[:, end:-1:1][:, end:-1:1], image.ivar))
    single = Image(Float32.(pixels), Float32.(image.ivar))
    @test LibSpecex.c_struct(single).type == SPECEX_FLOAT32
    @test extract_frame(context, single, grid, fibers).flux ≈ expected.flux rtol = 1e-5
    @test eltype(Image(round.(Int, pixels), image.ivar).pixels) == Float64
end

@testset "patches" begin
    context = small_context()
    patches = plan(context, grid, fibers)
    results = extract_patches(context, image, patches; model = true)
    @test all(result -> result.status == SPECEX_OK, results)
    frame = assemble(context, grid, fibers, patches, results, (nx, ny))
    whole = extract_frame(context, image, grid, fibers; model = true)
    @test frame.model ≈ whole.model
    whole.model .= frame.model  # whose overlaps add up in another order
    @test same_arrays(frame, whole)
    @test assemble(context, grid, fibers, patches, results).model === nothing

    test_error(() -> plan(context, grid, -1:2), SPECEX_ERROR_RANGE, "fib")
    odd = [LibSpecex.filled(Patch; nfiber = 1, nbin = 1, ndiag = 9)]
    test_error(SPECEX_ERROR_ARGUMENT, "specex_plan") do
        extract_patches(context, image, odd)
    end
    @test_throws DimensionMismatch assemble(context, grid, fibers, patches, results[1:1])
    test_error(SPECEX_ERROR_ARGUMENT, "specex_plan") do
        assemble(context, grid, fibers, odd, [LibSpecex.empty_result(odd[1], false)])
    end
end

@testset "strict and partial" begin
    strange = copy(pixels)
    strange[20, 40] = NaN
    masked = extract_frame(small_context(), Image(strange, image.ivar), grid, fibers)
    @test masked.nbadpixel == 1
    test_error(SPECEX_ERROR_DATA, "pixel") do
        context = small_context(strict = true)
        extract_frame(context, Image(strange, image.ivar), grid, fibers)
    end
end
