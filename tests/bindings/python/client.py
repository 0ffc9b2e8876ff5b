# SPDX-License-Identifier: BSD-3-Clause
"""Extracts fibres as the command line does, for comparison with it.

python client.py PSF PREPROC OUT WAVEMIN WAVEMAX WAVESTEP FIRST NSPEC
"""

import sys

from libspecex import Context, Grid, read_image, read_psf, write_frame

psf, preproc, out = sys.argv[1:4]
grid = Grid.from_range(*map(float, sys.argv[4:7]))
first, nspec = map(int, sys.argv[7:])

image = read_image(preproc)
context = Context().set_psf(read_psf(psf))
frame = context.extract_frame(image, grid, range(first, first + nspec))
write_frame(out, frame, input=image.file)
