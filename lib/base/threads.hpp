// SPDX-License-Identifier: BSD-3-Clause
//
// How many threads a context may use. OpenMP ends the process when a thread is refused,
// so they are tried once, with something that can fail, when the context is made.
#pragma once

namespace specex {

// requested > 0: that many; 0: OMP_NUM_THREADS, else the cores this process may run on.
int wanted_threads(int requested);

// OpenMP's threads do not survive a fork, and its runtime waits for them for ever: a
// process forked after they were started is left with one thread. Called before any
// parallel region.
void note_parallel_region();

// How many of `wanted` threads, the caller's included, can exist at the same time.
int probe_threads(int wanted);

}  // namespace specex
