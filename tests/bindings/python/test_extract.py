# SPDX-License-Identifier: BSD-3-Clause
import importlib.util
import unittest

import libspecex
import numpy as np
from libspecex import Grid, Image, Path, Status
from libspecex._library import library
from small_case import (
    FIBERS,
    GRID,
    IMAGE,
    IVAR,
    NSPEC,
    NX,
    NY,
    PIXELS,
    TRUTH,
    broken_image,
    same,
    small_context,
)


def inner(array):
    """Away from the ends, which light of bins beyond the grid is mixed into."""
    return array[..., 11:-11]


class Frames(unittest.TestCase):
    def test_a_frame(self):
        context = small_context()
        frame = context.extract_frame(IMAGE, GRID, model=True)
        self.assertEqual((frame.nspec, frame.nwave), (NSPEC, 30))
        self.assertEqual(frame.resolution_data.shape, (NSPEC, 9, 30))
        self.assertEqual(frame.model.shape, (NY, NX))
        np.testing.assert_array_equal(frame.wavelength, GRID.wavelength)
        self.assertGreater(frame.npatch, 1)
        self.assertEqual((frame.npatch_failed, frame.nbadpixel), (0, 0))
        paths = (frame.npath_dense, frame.npath_banded, frame.npath_vector)
        self.assertEqual(sum(paths), frame.npatch)
        self.assertFalse(frame.mask.any())
        np.testing.assert_allclose(frame.model[20:-20], PIXELS[20:-20], atol=0.5)
        seconds = context.stage_seconds()
        self.assertEqual(list(seconds)[2], "spots")
        self.assertGreater(sum(seconds.values()), 0)
        self.assertEqual(
            library.specex_stage_seconds(context._handle, None, 1), Status.ERROR_ARGUMENT
        )

        plain = context.extract_frame(IMAGE, GRID, FIBERS, resolution=False)
        self.assertIsNone(plain.resolution_data)
        self.assertIsNone(plain.model)
        np.testing.assert_array_equal(plain.flux, frame.flux)
        with self.assertRaisesRegex(ValueError, "resolution"):
            plain.resolution(0)

    @unittest.skipUnless(importlib.util.find_spec("scipy"), "there is no SciPy")
    def test_resolution(self):
        frame = small_context().extract_frame(IMAGE, GRID)
        for i, spectrum in enumerate(TRUTH):
            matrix = frame.resolution(i)
            self.assertEqual(matrix.format, "dia")
            np.testing.assert_allclose(
                inner(matrix @ spectrum), inner(frame.flux[i]), rtol=1e-3
            )
            self.assertEqual(matrix.toarray()[12, 14], frame.resolution_data[i, 2, 14])

    def test_some_fibers(self):
        context = small_context()
        whole = context.extract_frame(IMAGE, GRID)
        part = context.extract_frame(IMAGE, GRID, range(3, 5))
        self.assertEqual(part.first_fiber, 3)
        np.testing.assert_allclose(part.flux, whole.flux[3:5], rtol=1e-9)

    def test_refusals(self):
        context = small_context()
        with self.assertRaisesRegex(libspecex.RangeError, "fib"):
            context.extract_frame(IMAGE, GRID, range(1, NSPEC + 1))
        with self.assertRaisesRegex(libspecex.ArgumentError, "ivar"):
            context.extract_frame(Image(PIXELS), GRID)
        with self.assertRaisesRegex(libspecex.ArgumentError, "wave"):
            Grid.from_range(6000, 5000, 1)
        with self.assertRaisesRegex(ValueError, "ivar has shape"):
            Image(PIXELS, np.ones((2, 2)))
        with self.assertRaisesRegex(libspecex.DataError, "pixel"):
            small_context(strict=True).extract_frame(broken_image(), GRID)
        self.assertEqual(context.extract_frame(broken_image(), GRID).nbadpixel, 1)


class Pixels(unittest.TestCase):
    """Where and how they lie makes no difference, but whether they are copied."""

    def setUp(self):
        self.context = small_context()
        self.expected = self.context.extract_frame(IMAGE, GRID)

    def check(self, pixels, ivar=IVAR):
        self.assertTrue(
            same(self.context.extract_frame(Image(pixels, ivar), GRID), self.expected)
        )

    def test_native_rows_are_used_where_they_lie(self):
        padded = np.full((NY + 2, NX + 3), np.nan)
        padded[1:-1, 2:-1] = PIXELS
        for pixels in (PIXELS, padded[1:-1, 2:-1], PIXELS.astype("f4")):
            ivar = IVAR.astype(pixels.dtype)
            self.assertIs(Image(pixels, ivar).pixels, pixels)
            self.assertIs(Image(pixels, ivar).ivar, ivar)
        self.check(padded[1:-1, 2:-1])

    def test_any_layout(self):
        self.check(np.asfortranarray(PIXELS))
        self.check(PIXELS[::-1, ::-1].copy()[::-1, ::-1])
        self.check(np.repeat(PIXELS, 2, axis=1)[:, ::2])
        self.check(PIXELS.tolist())
        shifted = np.empty(PIXELS.nbytes + 1, np.uint8)[1:].view(np.float64)
        unaligned = shifted.reshape(PIXELS.shape)
        unaligned[:] = PIXELS
        self.check(unaligned)

    def test_any_type(self):
        self.check(PIXELS.astype(">f8"), IVAR.astype("<f8"))
        self.check(PIXELS.astype("longdouble"))
        single = self.context.extract_frame(
            Image(PIXELS.astype("f4"), IVAR.astype("f4")), GRID
        )
        swapped = self.context.extract_frame(
            Image(PIXELS.astype(">f4"), IVAR.astype(">f4")), GRID
        )
        self.assertTrue(same(single, swapped))
        np.testing.assert_allclose(single.flux, self.expected.flux, rtol=1e-5)
        counts = Image(np.rint(PIXELS).astype("i2"), IVAR)
        self.assertEqual(counts.pixels.dtype, np.float64)

    def test_spectra_on_a_gpu_are_refused(self):
        class OfCupy:
            __cuda_array_interface__ = {}

        class OfRocm:
            def __dlpack_device__(self):
                return (10, 0)

        for array in (OfCupy(), OfRocm()):
            with self.assertRaisesRegex(TypeError, "spectra lies on a GPU"):
                self.context.project(GRID, FIBERS, array)
        with self.assertRaisesRegex(TypeError, "copy it to the host"):
            Image(OfRocm(), IVAR)

    def test_what_is_masked_is_refused(self):
        with self.assertRaisesRegex(TypeError, "ivar 0"):
            Image(np.ma.masked_greater(PIXELS, 10), IVAR)


class Patches(unittest.TestCase):
    def test_assembled_they_are_the_frame(self):
        context = small_context()
        patches = context.plan(GRID, FIBERS)
        results = context.extract_patches(IMAGE, patches, model=True)
        self.assertEqual({result.status for result in results}, {Status.OK})
        self.assertNotIn(Path.NONE, {result.path for result in results})
        frame = context.assemble(GRID, FIBERS, patches, results, (NY, NX))
        whole = context.extract_frame(IMAGE, GRID, model=True)
        np.testing.assert_allclose(frame.model, whole.model, atol=1e-12)
        whole.model = frame.model  # whose overlaps add up in another order
        self.assertTrue(same(frame, whole))
        self.assertEqual(frame.npatch, len(patches))
        self.assertIsNone(context.assemble(GRID, FIBERS, patches, results).model)

        with self.assertRaisesRegex(libspecex.RangeError, "fib"):
            context.plan(GRID, range(-1, 2))
        odd = libspecex.Patch(nfiber=1, nbin=1, ndiag=9)
        with self.assertRaisesRegex(libspecex.ArgumentError, "specex_plan"):
            context.extract_patches(IMAGE, [odd])
        with self.assertRaisesRegex(ValueError, "1 results"):
            context.assemble(GRID, FIBERS, patches, results[:1])
        with self.assertRaisesRegex(ValueError, "of a result"):
            context.assemble(GRID, FIBERS, patches[::-1], [results[0]] * len(patches))
        result = libspecex.PatchResult._empty(odd, False)
        with self.assertRaisesRegex(libspecex.ArgumentError, "specex_plan"):
            context.assemble(GRID, FIBERS, [odd], [result])
