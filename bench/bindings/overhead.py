# SPDX-License-Identifier: BSD-3-Clause
"""What a frame of 25 fibres x 2326 bins costs through the Python package, over the same
call of C into arrays that NumPy made. Both in turns; the fastest of each counts, in time
of the processor, which other programs disturb less.

    python bench/bindings/overhead.py PSF PREPROC [TURNS]
"""

import gc
import sys
from ctypes import byref
from time import process_time

from libspecex import Context, Grid, read_image, read_psf
from libspecex._library import library
from libspecex.frame import Frame

FIBERS = range(25)
GRID = Grid.from_range(5760, 7620, 0.8)


def through_package(context, image):
    start = process_time()
    frame = context.extract_frame(image, GRID, FIBERS)
    took = process_time() - start
    del frame  # whose memory is given back by either after the clock has stopped
    return took


def through_c(context, image):
    frame = Frame._empty(GRID, FIBERS, context.psf_info().ndiag, None)
    arguments = (
        context._handle,
        byref(image._struct()),
        byref(GRID._struct()),
        FIBERS.start,
        len(FIBERS),
        byref(frame._struct()),
    )
    start = process_time()
    library.specex_extract_frame(*arguments)
    return process_time() - start


def main():
    context = Context(num_threads=1).set_psf(read_psf(sys.argv[1]))
    image = read_image(sys.argv[2])
    turns = int(sys.argv[3]) if len(sys.argv) > 3 else 15
    seconds = {through_c: [], through_package: []}
    for turn in range(turns + 1):
        for call, times in seconds.items():
            gc.collect()
            times.append(call(context, image))
    c, package = (min(times[1:]) for times in seconds.values())  # the first warms up
    print(
        f"C {1e3 * c:.2f} ms, package {1e3 * package:.2f} ms: "
        f"{100 * (package / c - 1):.2f} % more"
    )


main()
