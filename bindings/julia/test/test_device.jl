# SPDX-License-Identifier: BSD-3-Clause
#
# Arrays on a GPU: what is refused on the way, and what the library says without one.
@testset "device" begin
    array = DeviceArray{Float32}(Ptr{Cvoid}(64), (3, 2))
    @test size(array) == (3, 2) && strides(array) == (1, 3)
    @test pointer(array) == Ptr{Float32}(64)
    @test pointer(DeviceArray(pixels)) == pointer(pixels)
    @test occursin("(3, 2) at", sprint(show, MIME("text/plain"), array))
    @test_throws ArgumentError array[1, 1]
    @test_throws ArgumentError Image(DeviceArray(zeros(Int32, 3, 2)), array)  # no copies
    @test_throws ArgumentError Image(DeviceArray(pixels), image.ivar)

    context = small_context(backend = SPECEX_BACKEND_CPU)
    on_gpu = Image(DeviceArray(pixels), DeviceArray(image.ivar))
    @test LibSpecex.c_struct(on_gpu).memory == SPECEX_MEMORY_DEVICE
    @test LibSpecex.c_struct(image).memory == SPECEX_MEMORY_HOST
    test_error(SPECEX_ERROR_UNSUPPORTED, "image.memory") do
        extract_frame(context, on_gpu, grid, fibers)
    end

    expected = extract_frame(context, image, grid, 2:4)
    frame = Frame(first_fiber = 2, wavelength = zeros(30), flux = zeros(30, 3))
    filled = extract_frame!(frame, context, image, grid)
    @test frame.flux == expected.flux && frame.wavelength == expected.wavelength
    @test filled.npatch == expected.npatch && filled.ivar === nothing
    device(array) = DeviceArray(array)
    mixed = Frame(wavelength = frame.wavelength, flux = device(frame.flux))
    @test_throws ArgumentError extract_frame!(mixed, context, image, grid)
    test_error(SPECEX_ERROR_UNSUPPORTED, "frame.memory") do
        frame = Frame(first_fiber = 2, wavelength = device(frame.wavelength),
                      flux = device(frame.flux))
        extract_frame!(frame, context, image, grid)
    end

    # In a process of its own, with a library whose CUDA backend uses the host's memory.
    if haskey(ENV, "LIBSPECEX_EMULATED")
        cases = joinpath(@__DIR__, "device_cases.jl")
        julia = `$(Base.julia_cmd()) --startup-file=no --project=$(Base.active_project())`
        withenv("LIBSPECEX_LIBRARY" => ENV["LIBSPECEX_EMULATED"]) do
            @test success(pipeline(`$julia $cases`; stdout = stdout, stderr = stderr))
        end
    else
        @test_skip "no emulated backend"
    end
end
