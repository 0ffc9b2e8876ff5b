# SPDX-License-Identifier: BSD-3-Clause
@testset "context" begin
    @test LibSpecex.version() >= v"0.1.0"
    @test LibSpecex.status_name(SPECEX_PARTIAL) == "SPECEX_PARTIAL"
    @test LibSpecex.status_text(SPECEX_OK) == "done"
    @test LibSpecex.status_name(-1) == "SPECEX_UNKNOWN"
    @test LibSpecex.specex_options_init(C_NULL, 0) == SPECEX_ERROR_ARGUMENT

    context = Context(num_threads = 2)
    @test occursin("threads 2", describe(context))
    test_error(() -> psf_info(context), SPECEX_ERROR_STATE, "PSF")
    @test_throws ArgumentError Context(threads = 2)
    test_error(() -> Context(num_threads = -1), SPECEX_ERROR_ARGUMENT, "num_threads")
    test_error(() -> Context(num_devices = 0), SPECEX_ERROR_ARGUMENT, "num_devices")

    close(context)
    close(context)  # as closing files is
    closed(call) = test_error(call, SPECEX_ERROR_ARGUMENT, "context")
    closed(() -> describe(context))
    closed(() -> set_psf!(context, small_psf()))
    closed(() -> psf_info(context))
    closed(() -> set_log!(context, nothing))
    closed(() -> set_progress!(context, nothing))
    closed(() -> stage_seconds(context))

    error = SpecexError(SPECEX_ERROR_RANGE, "a sentence")
    @test error.name == "SPECEX_ERROR_RANGE"
    @test occursin("outside the PSF", error.text)
    @test sprint(showerror, error) == "SPECEX_ERROR_RANGE: a sentence"
end

@testset "PSF" begin
    context = small_context()
    info = psf_info(context)
    @test (info.nspec, info.ndiag, info.nx, info.ny) == (nspec, 9, nx, ny)
    x, y = trace(context, 2, [6015.0, 6016.0])
    @test all(20 .< x .< 26)
    @test y[2] - y[1] ≈ 60 / 41.5 rtol = 0.05
    test_error(() -> trace(context, nspec, [6015.0]), SPECEX_ERROR_RANGE, "fib")
    test_error(() -> trace(context, 0, [NaN]), SPECEX_ERROR_ARGUMENT, "finite")

    psf = small_psf()
    psf.params[1, 3, 1] = NaN
    test_error(() -> set_psf!(context, psf), SPECEX_ERROR_PSF, "GHSIGX")
    @test psf_info(context).nspec == nspec  # the earlier one stays
    ragged = (xtrace = zeros(3, 2), ytrace = zeros(3, 1), param_names = String[],
              params = zeros(1, 2, 0), xtrace_range = (0, 1), ytrace_range = (0, 1),
              param_range = (0, 1), hsizex = 1, hsizey = 1, ghdegx = 0, ghdegy = 0)
    @test_throws DimensionMismatch Psf(; ragged...)
    psf = small_psf()  # whose fields are made not to fit each other
    fields = Any[getfield(psf, name) for name in fieldnames(Psf)]
    fields[findfirst(==(:ytrace), fieldnames(Psf))] = ones(1, 1)
    @test_throws DimensionMismatch set_psf!(context, Psf(fields...))
end
