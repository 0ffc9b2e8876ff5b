# SPDX-License-Identifier: BSD-3-Clause
"""What a library whose CUDA backend runs in the host's memory makes of arrays there.

Run by test_device.py.
"""

import unittest

import numpy as np
from libspecex import Image
from libspecex.compat import extract_frame
from small_case import (
    ARRAYS,
    FIBERS,
    GRID,
    IMAGE,
    IVAR,
    NX,
    PIXELS,
    same,
    small_context,
    small_psf,
)
from stand_in import Dlpack, installed, ndarray


def to_host(frame):
    """The same frame, for `same` to compare."""
    for name in ARRAYS:
        setattr(frame, name, getattr(frame, name).array)
    return frame


class Device(unittest.TestCase):
    def setUp(self):
        self.context = small_context(backend="cuda")
        self.assertIn("cuda", self.context.describe())
        self.expected = self.context.extract_frame(IMAGE, GRID, model=True)

    def test_a_frame_of_cupys_arrays(self):
        padded = np.full((PIXELS.shape[0], NX + 3), np.nan)
        padded[:, 2:-1] = PIXELS
        for pixels in (ndarray(PIXELS), ndarray(padded[:, 2:-1]), Dlpack(PIXELS)):
            with installed():
                image = Image(pixels, ndarray(IVAR))
                frame = self.context.extract_frame(image, GRID, model=True)
            self.assertIsInstance(frame.flux, ndarray)
            self.assertEqual(frame.npatch, self.expected.npatch)
            with self.assertRaisesRegex(TypeError, "copy it to the host"):
                frame.resolution(0)
            self.assertTrue(same(to_host(frame), self.expected))

    def test_a_frame_without_cupy(self):
        with installed(False):
            image = Image(ndarray(PIXELS), ndarray(IVAR))
            frame = self.context.extract_frame(image, GRID, model=True)
        self.assertTrue(same(frame, self.expected))

    def test_a_frame_of_the_callers_arrays(self):
        for image in (IMAGE, Image(ndarray(PIXELS), ndarray(IVAR))):
            flux = np.full_like(self.expected.flux, np.nan)
            ivar = np.full_like(self.expected.ivar, np.nan)
            out = {"flux": ndarray(flux), "ivar": ndarray(ivar)}
            frame = self.context.extract_frame(image, GRID, out=out)
            self.assertIs(frame.flux, out["flux"])
            self.assertIsNone(frame.wavelength)
            np.testing.assert_array_equal(flux, self.expected.flux)
            np.testing.assert_array_equal(ivar, self.expected.ivar)

    def test_patches(self):
        patches = self.context.plan(GRID, FIBERS)
        image = Image(ndarray(PIXELS), ndarray(IVAR))
        for got, expected in zip(
            self.context.extract_patches(image, patches),
            self.context.extract_patches(IMAGE, patches),
        ):
            self.assertEqual(got.status, expected.status)
            np.testing.assert_array_equal(got.flux, expected.flux)

    def test_compat(self):
        def frame(pixels, ivar):
            img = {"image": pixels, "ivar": ivar}
            return extract_frame(
                img, small_psf(), 3, 0, 6, GRID.wavelength, 10, model=True, gpu=True
            )

        expected = frame(PIXELS, IVAR)
        got = frame(ndarray(PIXELS), ndarray(IVAR))
        self.assertEqual(set(got), set(expected))
        for name, array in expected.items():
            np.testing.assert_array_equal(got[name], array)
