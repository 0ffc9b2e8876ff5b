# SPDX-License-Identifier: BSD-3-Clause
"""Callbacks, Ctrl-C and threads."""

import logging
import os
import signal
import threading
import time
import unittest

import libspecex
from small_case import (
    FIBERS,
    GRID,
    IMAGE,
    TRUTH,
    broken_image,
    same,
    small_context,
)


class Unlucky(Exception):
    pass


def throw(*_):
    raise Unlucky


class Callbacks(unittest.TestCase):
    def test_progress(self):
        for num_threads in (1, 4):
            seen = []
            context = small_context(
                num_threads=num_threads, progress=lambda *counts: seen.append(counts)
            )
            frame = context.extract_frame(IMAGE, GRID)
            self.assertEqual(seen, [(k, frame.npatch) for k in range(frame.npatch + 1)])

            context.progress = lambda done, total: done < 2
            with self.assertRaisesRegex(libspecex.Cancelled, "stopped"):
                context.extract_frame(IMAGE, GRID)
            context.progress = throw
            with self.assertRaises(Unlucky):
                context.extract_frame(IMAGE, GRID)
            with self.assertRaises(Unlucky):
                context.project(GRID, FIBERS, TRUTH)
            context.progress = lambda done, total: context.describe()
            with self.assertRaisesRegex(libspecex.BusyError, "thread"):
                context.extract_frame(IMAGE, GRID)
            context.progress = None
            self.assertTrue(same(context.extract_frame(IMAGE, GRID), frame))

    def test_log(self):
        context = small_context(log=logging.getLogger("libspecex").log)
        with self.assertLogs("libspecex", "WARNING") as logs:
            context.extract_frame(broken_image(), GRID)
        self.assertEqual(len(logs.output), 1)
        self.assertIn("pixel", logs.output[0])
        context.log = throw
        with self.assertRaises(Unlucky):
            context.extract_frame(broken_image(), GRID)
        context.log = None
        self.assertEqual(context.extract_frame(broken_image(), GRID).nbadpixel, 1)


class Interrupt(unittest.TestCase):
    def test_ctrl_c_stops_at_the_next_patch(self):
        for num_threads in (1, 4):
            context = small_context(num_threads=num_threads, nwavestep=2)
            frame = context.extract_frame(IMAGE, GRID)
            self.assertGreater(frame.npatch, 20)
            seen = []

            def progress(done, total):
                seen.append(done)
                if done == 2:
                    os.kill(os.getpid(), signal.SIGINT)

            context.progress = progress
            with self.assertRaises(KeyboardInterrupt):
                context.extract_frame(IMAGE, GRID)
            self.assertEqual(seen, [0, 1, 2])
            seen.clear()
            with self.assertRaises(KeyboardInterrupt):
                context.project(GRID, FIBERS, TRUTH)
            context.progress = None  # and the context is as good as before
            self.assertTrue(same(context.extract_frame(IMAGE, GRID), frame))

    def test_ctrl_c_while_no_callback_of_ours_runs(self):
        context = small_context(backend="reference", nwavestep=2)
        for _ in range(5):
            timer = threading.Timer(0.02, os.kill, (os.getpid(), signal.SIGINT))
            with self.assertRaises(KeyboardInterrupt):
                timer.start()
                while True:
                    context.extract_frame(IMAGE, GRID)
        self.assertIs(signal.getsignal(signal.SIGINT), signal.default_int_handler)

    def test_other_handlers_are_run(self):
        calls = []
        before = signal.signal(signal.SIGALRM, lambda *_: calls.append(0))
        self.addCleanup(signal.signal, signal.SIGALRM, before)
        context = small_context()
        frame = context.extract_frame(IMAGE, GRID)
        context.progress = lambda *_: os.kill(os.getpid(), signal.SIGALRM)
        self.assertTrue(same(context.extract_frame(IMAGE, GRID), frame))
        self.assertEqual(len(calls), frame.npatch + 1)


class Threads(unittest.TestCase):
    def test_a_context_in_each_works_while_the_others_do(self):
        """An undivided bundle is one patch, between whose ends no callback comes.

        So what Python code of the main thread does there shows that the GIL is free, and
        that every thread's patch begins before any ends that they work side by side.
        """
        options = {"num_threads": 1, "backend": "reference", "bundlesize": 6}
        options.update(nsubbundles=1, nwavestep=30)
        expected = small_context(**options).extract_frame(IMAGE, GRID)
        begin, end, frames = {}, {}, {}
        together = threading.Barrier(2)

        def extract(name):
            def progress(done, total):
                if done == 0:
                    together.wait(60)
                    begin[name] = time.monotonic()
                elif done == total:
                    end[name] = time.monotonic()

            context = small_context(progress=progress, **options)
            frames[name] = context.extract_frame(IMAGE, GRID)

        threads = [threading.Thread(target=extract, args=(name,)) for name in "ab"]
        for thread in threads:
            thread.start()
        ticks = []
        while any(thread.is_alive() for thread in threads):
            ticks.append(time.monotonic())
            time.sleep(0)
        self.assertLess(max(begin.values()), min(end.values()))
        within = [t for t in ticks if max(begin.values()) < t < min(end.values())]
        self.assertGreater(len(within), 2)
        self.assertTrue(all(same(frame, expected) for frame in frames.values()))

    def test_a_second_call_is_refused(self):
        context = small_context()
        inside, done = threading.Event(), threading.Event()

        def progress(*_):
            inside.set()
            done.wait(60)

        context.progress = progress
        thread = threading.Thread(target=context.extract_frame, args=(IMAGE, GRID))
        thread.start()
        inside.wait(60)
        with self.assertRaisesRegex(libspecex.BusyError, "thread"):
            context.describe()
        with self.assertRaises(libspecex.BusyError):
            context.close()
        done.set()
        thread.join()
        self.assertIn("libspecex", context.describe())
