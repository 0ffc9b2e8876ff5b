// SPDX-License-Identifier: BSD-3-Clause
//
// From the solution of a window to what is reported (Bolton & Schlegel 2010, eqs. 10-14):
// the device's side of kernels/shared/finish.cpp.
#pragma once

#include <cmath>

#include "kernels/cuda/window_group.hpp"

namespace specex::gpu {

// What is not finite; and rows of Q that the core needs and that have no data, which the
// host fills in. Threads: bins x problems.
struct CheckSolution {
  Group group;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int64_t p = i % group.nproblem;
    const int w = static_cast<int>(i / group.nproblem);
    bool finite = std::isfinite(group.flux[i]);
    const int core = group.fiber_of(p) - group.core_fiber;
    const DeviceWindow &window = group.windows[group.window_of(p)];
    if (core >= 0 && core < group.ncore_fiber && w >= group.first_row(window)) {
      finite =
          finite && std::isfinite(group.row_sum[i]) && std::isfinite(group.smoothed[i]);
      for (int m = 0; m <= group.nkeep; ++m)
        finite = finite && std::isfinite(group.diagonals[group.diagonal_at(w, m, p)]);
      if (finite && !group.has_data(w, p) &&
          w < window.core_bin + window.ncore_bin + group.nkeep)
        group.mark(p, verdict_empty_rows);
    }
    if (!finite) group.mark(p, verdict_nan);
  }
};

// Threads: bins of a core x core fibres.
struct Finish {
  Group group;
  int first_fiber;  // of the sheet
  const int32_t *failed_fit;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const auto [p, number, core, j] = group.core_bin(i);
    const DeviceWindow &window = group.windows[number];
    const PatchOutput &output = window.output;
    if (!output.wants(core, j) || !group.solved(number)) return;
    const int w = window.core_bin + j;
    const int64_t q = group.at(w, p);
    const Measurement bin = measure(group.has_data(w, p), group.row_sum[q],
                                    group.smoothed[q], group.wavestep);
    const size_t out = output.at(core, j);
    if (output.flux != nullptr) output.flux[out] = bin.flux;
    if (output.ivar != nullptr) output.ivar[out] = bin.ivar;
    if (output.pixmask_fraction != nullptr)
      output.pixmask_fraction[out] = group.masked[q];
    if (output.mask != nullptr) {
      const int fiber = first_fiber + window.fiber + group.fiber_of(p);
      output.mask[out] =
          (failed_fit[fiber] != 0 ? SPECEX_MASK_BADFIBER : 0) |
          bin_mask(group.rules, bin.usable, group.usable[q], group.masked[q]);
    }
    if (output.resolution == nullptr) return;
    for (int k = 0; k <= 2 * group.nkeep; ++k) {
      const int row = w - group.nkeep + k;
      double value = 0.0;
      if (row >= 0 && row < group.nbin && group.has_data(row, p)) {
        const int low = row < w ? row : w;
        const int m = row < w ? w - row : row - w;
        value = group.diagonals[group.diagonal_at(low, m, p)] *
                (1.0 / group.row_sum[group.at(row, p)]);
      }
      output.resolution[output.at(core, k, j)] = value;
    }
  }
};

}  // namespace specex::gpu
