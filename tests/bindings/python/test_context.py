# SPDX-License-Identifier: BSD-3-Clause
import os
import pickle
import unittest

import libspecex
import numpy as np
from libspecex import ArgumentError, Context, Psf, SpecexError, Status
from libspecex._library import library
from small_case import (
    GRID,
    NSPEC,
    NX,
    NY,
    PIXELS,
    has_gpu,
    small_context,
    small_psf,
)


class Contexts(unittest.TestCase):
    def test_names(self):
        self.assertRegex(libspecex.version(), r"^\d+\.\d+\.\d+$")
        self.assertEqual(libspecex.status_name(Status.PARTIAL), "SPECEX_PARTIAL")
        self.assertEqual(libspecex.status_name(-1), "SPECEX_UNKNOWN")
        self.assertEqual(libspecex.status_text(Status.OK), "done")
        self.assertEqual(libspecex.status_text(-1), libspecex.status_text(-2))
        self.assertEqual(libspecex.stage_name(libspecex.Stage.SPOTS), "spots")
        self.assertEqual(libspecex.stage_name(-1), "unknown")

    def test_options(self):
        self.assertIn("threads 2", Context(num_threads=2).describe())
        self.assertIn("reference", Context(backend="reference").describe())
        with self.assertRaisesRegex(ArgumentError, "num_threads"):
            Context(num_threads=-1)
        for gpu in ({"device": -1}, {"num_devices": 0}, {"device_memory": -1}):
            with self.assertRaisesRegex(ArgumentError, rf"options\.{[*gpu][0]} is"):
                Context(**gpu)
        with self.assertRaisesRegex(ValueError, "none of auto, cpu"):
            Context(backend="abacus")
        with self.assertRaises(TypeError):
            Context(threads=2)
        self.assertEqual(library.specex_options_init(None, 0), Status.ERROR_ARGUMENT)

    @unittest.skipIf(has_gpu(), "there is a GPU")
    def test_a_missing_gpu_is_said(self):
        with self.assertRaisesRegex(libspecex.NoDeviceError, "."):
            Context(backend=libspecex.Backend.CUDA)

    def test_close(self):
        with Context() as context:
            handle = context._handle
        context.close()  # as closing files is
        for call in (
            context.describe,
            context.psf_info,
            context.stage_seconds,
            lambda: context.set_psf(small_psf()),
            lambda: context.plan(GRID, range(1)),
        ):
            with self.assertRaisesRegex(ArgumentError, "context"):
                call()
        self.assertEqual(library.specex_destroy(handle), Status.ERROR_HANDLE)
        for set_callback in (library.specex_set_log, library.specex_set_progress):
            kind = set_callback.argtypes[1]
            self.assertEqual(set_callback(None, kind(), None), Status.ERROR_ARGUMENT)

    def test_every_status_has_its_exception(self):
        errors = {error.status: error for error in SpecexError.__subclasses__()}
        self.assertEqual(set(errors), set(Status) - {Status.OK, Status.PARTIAL})
        for status, error in errors.items():
            copy = pickle.loads(pickle.dumps(error("a sentence")))
            self.assertEqual((type(copy), str(copy)), (error, "a sentence"))
            self.assertEqual(copy.status, status)
        self.assertTrue(issubclass(libspecex.FileError, OSError))
        self.assertTrue(issubclass(libspecex.RangeError, ValueError))

    def test_a_child_makes_its_own(self):
        context = small_context()
        child = os.fork()
        if child == 0:
            try:
                context.describe()
            except libspecex.ForkedError:
                os._exit(not small_context().describe())
            os._exit(1)
        self.assertEqual(os.waitpid(child, 0)[1], 0)


class Psfs(unittest.TestCase):
    def test_info_and_trace(self):
        context = small_context()
        info = context.psf_info()
        self.assertEqual((info.nspec, info.ndiag, info.nx, info.ny), (NSPEC, 9, NX, NY))
        x, y = context.trace(2, [6015, 6016])
        self.assertTrue(np.all((20 < x) & (x < 26)))
        self.assertAlmostEqual(y[1] - y[0], 60 / 41.5, delta=0.05)
        with self.assertRaisesRegex(libspecex.RangeError, "fib"):
            context.trace(NSPEC, [6015.0])
        with self.assertRaisesRegex(ArgumentError, "finite"):
            context.trace(0, [np.nan])
        with self.assertRaisesRegex(libspecex.StateError, "PSF"):
            Context().psf_info()

    def test_a_bad_one_is_refused(self):
        context, psf = small_context(), small_psf()
        psf.params[0, 2, 0] = np.nan
        with self.assertRaisesRegex(libspecex.PsfError, "GHSIGX"):
            context.set_psf(psf)
        self.assertEqual(context.psf_info().nspec, NSPEC)  # the earlier one stays
        wide = (0.0, 1.0)
        with self.assertRaisesRegex(ValueError, "ytrace"):
            Psf(np.ones((2, 3)), np.ones((1, 3)), [], np.ones((0, 2, 1)), wide, wide,
                wide, 1, 1, 0, 0)

    def test_some_fibers(self):
        some = small_psf().fibers(range(2, 5))
        self.assertEqual(some.nspec, 3)
        x, _ = small_context().set_psf(some).trace(0, [6015.0])
        self.assertEqual(x, small_context().trace(2, [6015.0])[0])
        with self.assertRaisesRegex(ValueError, "6 fibres"):
            small_psf().fibers(range(4, 7))


class Projection(unittest.TestCase):
    def test_refusals(self):
        context = small_context()
        spectra = np.ones((3, GRID.nwave))
        with self.assertRaisesRegex(libspecex.RangeError, "fib"):
            context.project(GRID, range(4, 7), spectra)
        with self.assertRaisesRegex(ArgumentError, "pixels"):
            context.project(GRID, range(3), spectra, (0, NX))
        with self.assertRaisesRegex(ValueError, "spectra"):
            context.project(GRID, range(2), spectra)
        with self.assertRaisesRegex(ValueError, "without gaps"):
            context.project(GRID, range(0, 6, 2), spectra)
        self.assertEqual(PIXELS.shape, (NY, NX))
