# SPDX-License-Identifier: BSD-3-Clause
"""A frame from files to a file: the piece of work that a workflow deals out.

    python extract_file.py INPUT PSF OUTPUT [WAVEMIN,WAVEMAX,WAVESTEP]
"""

import sys

from libspecex import Context, Grid, read_image, read_psf, write_frame

# As `specex extract` has them, for PSFs that cover them.
CAMERAS = {"B": "3600,5800,0.8", "R": "5760,7620,0.8", "Z": "7520,9824,0.8"}


def extract_file(input, psf, output, wavelength=None):
    """Writes the frame `output`, which is there when it is whole, and not before.

    It may thus be stopped at any moment and called again. It uses as many threads as
    OMP_NUM_THREADS says, which Dask sets to 1.
    """
    image, psf = read_image(input), read_psf(psf)
    wavelength = wavelength or CAMERAS[image.file["CAMERA"][:1].upper()]
    grid = Grid.from_range(*map(float, wavelength.split(",")))
    with Context() as context:
        context.set_psf(psf)
        frame = context.extract_frame(image, grid, range(psf.nspec))
        write_frame(output, frame, input=image.file, scores=True)


if __name__ == "__main__":
    extract_file(*sys.argv[1:])
