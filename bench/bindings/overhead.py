# SPDX-License-Identifier: BSD-3-Clause
"""What a frame of 25 fibres x 2326 bins costs through the Python package, over the same
call of C into arrays that NumPy made.

    python bench/bindings/overhead.py PSF PREPROC [PAIRS]

Pairs of the two, by turns one and the other first, in time of the processor: what else
the machine does hits both alike. The ratio is the median over the pairs, with an interval
from their ranks, which asks nothing of how the noise is distributed.
"""

import sys
from ctypes import byref
from math import ceil, floor, sqrt
from statistics import median
from time import process_time

from libspecex import Context, Grid, read_image, read_psf
from libspecex._library import library
from libspecex.errors import check
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
    status = library.specex_extract_frame(*arguments)
    took = process_time() - start
    check(status)
    return took


def interval(values):
    """Where the median of what the values are drawn from is, with 95 % confidence."""
    count, reach = len(values), 0.98 * sqrt(len(values))
    ranked = sorted(values)
    first, last = floor(count / 2 - reach) - 1, ceil(count / 2 + reach)
    return ranked[max(first, 0)], ranked[min(last, count - 1)]


def main():
    context = Context(num_threads=1).set_psf(read_psf(sys.argv[1]))
    image = read_image(sys.argv[2])
    pairs = int(sys.argv[3]) if len(sys.argv) > 3 else 400
    calls = [through_c, through_package]
    seconds = {call: [] for call in calls}
    for _ in range(pairs + 1):  # the first warms up
        for call in calls:
            seconds[call].append(call(context, image))
        calls.reverse()
    c, package = (seconds[call][1:] for call in (through_c, through_package))
    more = [100 * (b / a - 1) for a, b in zip(c, package)]
    low, high = interval(more)
    print(
        f"C {1e3 * median(c):.1f} ms, package {1e3 * median(package):.1f} ms, "
        f"{pairs} pairs: {median(more):+.2f} % ({low:+.2f} to {high:+.2f} %)"
    )


main()
