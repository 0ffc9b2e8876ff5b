# SPDX-License-Identifier: BSD-3-Clause
@testset "FITS" begin
    mktempdir() do folder
        context = small_context()
        path(name) = joinpath(folder, name)
        mask = zeros(Int32, nx, ny)
        mask[5, 7] = 1
        cards = ["CAMERA" => "r0", "EXPTIME" => (900.5, "seconds"), "NIGHT" => 20261121,
                 "GOOD" => true]
        write_image(context, path("image.fits"), image; mask = mask, cards = cards,
                    float64 = true)
        write_psf(context, path("psf.fits"), small_psf())

        file = read_image(context, path("image.fits"))
        copied = Image(file)
        @test copied.pixels == pixels
        @test copied.ivar[5, 7] == 0 && copied.ivar[7, 5] == 0.04
        @test Image(read_image(context, path("image.fits"); badmask = 0)).ivar[5, 7] == 0.04
        @test (file["CAMERA"], file["NIGHT"], file["GOOD"]) == ("r0", "20261121", "T")
        @test parse(Float64, file["EXPTIME"]) == 900.5
        @test_throws SpecexError file["ABSENT"]

        psf_file = read_psf(context, path("psf.fits"))
        @test Psf(psf_file).xtrace == small_psf().xtrace
        @test Set(Psf(psf_file).param_names) ⊇ Set(small_psf().param_names)
        fresh = set_psf!(small_context(), psf_file)
        frame = extract_frame(fresh, copied, grid, fibers)
        @test frame.flux ≈ extract_frame(context, copied, grid, fibers).flux

        write_frame(context, path("frame.fits"), frame; input = file, float64 = true,
                    scores = true, cards = ["GAIN" => (1.5, "of the amplifier")])
        frame_file = read_frame(context, path("frame.fits"))
        @test same_arrays(Frame(frame_file), frame)
        @test (frame_file["CAMERA"], frame_file["GAIN"]) == ("r0", "1.5")
        again = Frame(wavelength = frame.wavelength, flux = frame.flux, ivar = frame.ivar)
        write_frame(context, path("again.fits"), again; float64 = true)
        @test Frame(read_frame(context, path("again.fits"))).resolution === nothing
        @test_throws DimensionMismatch Frame(wavelength = 1:3, flux = frame.flux)

        # Arrays outlive the name of the file they were read from.
        borrowed = Image(read_image(context, path("image.fits"))).pixels
        reshaped = vec(Image(read_image(context, path("image.fits"))).pixels)
        foreach(_ -> GC.gc(), 1:3)
        @test borrowed == pixels && reshaped == vec(pixels)

        test_error(() -> read_image(context, path("absent.fits")), SPECEX_ERROR_IO, "absent")
        test_error(() -> read_psf(context, path("absent.fits")), SPECEX_ERROR_IO, "absent")
        test_error(() -> read_frame(context, path("absent.fits")), SPECEX_ERROR_IO, "absent")
        test_error(() -> read_fibermap(context, path("image.fits")), SPECEX_ERROR_FORMAT,
                   "FIBERMAP")
        nowhere = path("no/such/folder.fits")
        test_error(() -> write_frame(context, nowhere, frame), SPECEX_ERROR_IO, "folder")
        test_error(() -> write_image(context, nowhere, image), SPECEX_ERROR_IO, "folder")
        test_error(() -> write_psf(context, nowhere, small_psf()), SPECEX_ERROR_IO, "folder")
        test_error(SPECEX_ERROR_ARGUMENT, "cards[0]") do
            write_frame(context, path("bad.fits"), frame; cards = ["lower" => 1])
        end
        for (kind, other) in ((Image, psf_file), (Psf, frame_file), (Frame, file))
            @test_throws SpecexError kind(other)
        end
        @test_throws ArgumentError read_image(context, "nul\0inside")
    end
end
