// SPDX-License-Identifier: BSD-3-Clause
//
// What one core of this machine can do at best, measured: what a stage's speed is a
// fraction of.
#pragma once

namespace specex_cli {

struct MachinePeak {
  double flops;      // per second: multiply-adds of doubles, two operations each, in
                     // registers, with the widest vectors
  double bandwidth;  // bytes per second, read and written, of a copy of much memory
};

// Takes about half a second.
MachinePeak measure_peak();

}  // namespace specex_cli
