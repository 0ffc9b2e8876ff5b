# SPDX-License-Identifier: BSD-3-Clause
#
# Extracts fibres as the command line does, for comparison with it.
#
#   client.jl PSF PREPROC OUT WAVEMIN WAVEMAX WAVESTEP FIRST NSPEC
using LibSpecex

psf, preproc, out = ARGS[1:3]
grid = Grid(parse.(Float64, ARGS[4:6])...)
first_fiber, nspec = parse.(Int, ARGS[7:8])

context = Context()
file = read_image(context, preproc)
set_psf!(context, read_psf(context, psf))
fibers = range(first_fiber; length = nspec)
frame = extract_frame(context, Image(file), grid, fibers)
write_frame(context, out, frame; input = file)
