# SPDX-License-Identifier: BSD-3-Clause
#
# A PSF of six fibres, and an image made with it.

const nspec = 6
const nx, ny = 53, 92
const fibers = 0:(nspec - 1)
const grid = Grid(6000.0, 6029.0, 1.0)

function small_psf()
    per_fiber(series...) = repeat([series...], 1, nspec)
    xtrace = per_fiber(9.0, 0.6, -0.2)
    xtrace[1, :] .+= 7.0 .* fibers
    ytrace = per_fiber(46.0, 60.0, 0.3)
    ytrace[1, :] .+= 0.37 .* fibers
    return Psf(xtrace = xtrace, ytrace = ytrace,
               param_names = ["GHSIGX", "GHSIGY", "GH-0-0", "GH-2-0"],
               params = cat(per_fiber(1.15, 0.05), per_fiber(1.05, -0.04),
                            per_fiber(1.0, 0.0), per_fiber(0.02, 0.005); dims = 3),
               xtrace_range = (5974.0, 6057.0), ytrace_range = (5974.0, 6057.0),
               param_range = (5975.0, 6055.0), hsizex = 4, hsizey = 4, ghdegx = 4,
               ghdegy = 4, nx = nx, ny = ny, psferr = 0.02)
end

small_context(; options...) =
    set_psf!(Context(; bundlesize = 3, nsubbundles = 1, nwavestep = 10, options...),
             small_psf())

const truth = [40.0 + 15.0 * fiber + 3.0 * bin for bin in 1:30, fiber in fibers]
const pixels = project(small_context(), grid, fibers, truth, nx, ny)
const image = Image(pixels, fill(0.04, nx, ny))

"The error that body throws, of the given status and with a sentence about its cause."
function test_error(body, status, cause)
    error = try
        body()
        nothing
    catch caught
        caught
    end
    @test error isa SpecexError
    @test error.status == status
    @test occursin(cause, error.message)
end

# Spectra as the resolution shows them.
function convolved(spectra, resolution)
    seen = zero(spectra)
    for index in CartesianIndices(resolution)
        bin, diagonal, fiber = Tuple(index)
        row = bin + diagonal - 1 - size(resolution, 2) ÷ 2
        row in axes(seen, 1) || continue
        seen[row, fiber] += resolution[index] * spectra[bin, fiber]
    end
    return seen
end

# Away from the ends, which light of bins beyond the grid is mixed into.
inner(array) = array[12:(end - 11), :]

same_arrays(a, b) = all(name -> isequal(getfield(a, name), getfield(b, name)),
                        LibSpecex.frame_arrays)

# Whether the library was built with its file layer.
has_files() =
    LibSpecex.specex_fits_get_image(C_NULL, C_NULL) != SPECEX_ERROR_UNSUPPORTED
