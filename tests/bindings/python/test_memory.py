# SPDX-License-Identifier: BSD-3-Clause
"""Contexts that nobody refers to any more are freed, by close or by themselves."""

import os
import unittest
from pathlib import Path

from libspecex import Context, Grid
from small_case import IMAGE, small_psf

STATM = Path("/proc/self/statm")
GRID = Grid.from_range(6000, 6004, 1)


def resident():
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def rounds(count, closing):
    """Small, and with one thread, so that it is the loop that is measured."""
    psf = small_psf()
    for _ in range(count):
        context = Context(num_threads=1, bundlesize=3).set_psf(psf)
        context.extract_frame(IMAGE, GRID, range(1))
        if closing:
            context.close()


@unittest.skipUnless(STATM.exists(), "no /proc: resident memory is not known")
class Memory(unittest.TestCase):
    def test_a_thousand_contexts(self):
        for closing in (True, False):
            rounds(300, closing)
            before = resident()
            rounds(1000, closing)
            self.assertLess(resident() - before, 4 << 20)
