# SPDX-License-Identifier: BSD-3-Clause

# The least that is a FIBERMAP: a table of one column.
function make_fibermap(path)
    header(cards) = rpad(join(rpad.([cards; "END"], 80)), 2880)
    number(key, value) = rpad(key, 8) * "= " * lpad(value, 20)
    text(key, value) = rpad(key, 8) * "= '$(rpad(value, 8))'"
    open(path, "w") do io
        write(io, header([number("SIMPLE", "T"), number("BITPIX", 8), number("NAXIS", 0)]))
        write(io, header([text("XTENSION", "BINTABLE"), number("BITPIX", 8),
                          number("NAXIS", 2), number("NAXIS1", 8), number("NAXIS2", nspec),
                          number("PCOUNT", 0), number("GCOUNT", 1), number("TFIELDS", 1),
                          text("TTYPE1", "FIBER"), text("TFORM1", "K"),
                          text("EXTNAME", "FIBERMAP")]))
        write(io, zeros(UInt8, 2880))
    end
end

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
        unmasked = read_image(context, path("image.fits"); badmask = 0)
        @test Image(unmasked).ivar[5, 7] == 0.04
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
        # Fields that do not fit each other must not reach the library either.
        fields = Any[getfield(frame, name) for name in fieldnames(Frame)]
        fields[findfirst(==(:ivar), fieldnames(Frame))] = ones(1, 1)
        @test_throws DimensionMismatch write_frame(context, path("none.fits"),
                                                         Frame(fields...))

        make_fibermap(path("fibermap.fits"))
        fibermap = read_fibermap(context, path("fibermap.fits"))
        write_frame(context, path("mapped.fits"), frame; fibermap = fibermap)
        @test read_fibermap(context, path("mapped.fits")) isa FitsFile

        # Arrays outlive the name of the file they were read from.
        borrowed = Image(read_image(context, path("image.fits"))).pixels
        reshaped = vec(Image(read_image(context, path("image.fits"))).pixels)
        foreach(_ -> GC.gc(), 1:3)
        @test borrowed == pixels && reshaped == vec(pixels)

        for read in (read_image, read_psf, read_frame)
            test_error(() -> read(context, path("absent.fits")), SPECEX_ERROR_IO, "absent")
        end
        test_error(SPECEX_ERROR_FORMAT, "FIBERMAP") do
            read_fibermap(context, path("image.fits"))
        end
        nowhere = path("no/such/folder.fits")
        for (write, what) in ((write_frame, frame), (write_image, image),
                              (write_psf, small_psf()))
            test_error(() -> write(context, nowhere, what), SPECEX_ERROR_IO, "folder")
        end
        test_error(SPECEX_ERROR_ARGUMENT, "cards[0]") do
            write_frame(context, path("bad.fits"), frame; cards = ["lower" => 1])
        end
        for (kind, other) in ((Image, psf_file), (Psf, frame_file), (Frame, file))
            @test_throws SpecexError kind(other)
        end
        @test_throws ArgumentError read_image(context, "nul\0inside")
    end
end
