// SPDX-License-Identifier: BSD-3-Clause
//
// What every backend does around one patch: skip it where it is off the CCD, turn a
// failure into the patch's own status with masked outputs, and keep chi2 finite.
#pragma once

#include "base/error.hpp"
#include "kernels/shared/chi2.hpp"
#include "kernels/shared/finish.hpp"
#include "kernels/shared/patch_pixels.hpp"

namespace specex {

inline void bound_chi2pix(const PatchOutput &output) {
  if (output.chi2pix == nullptr) return;
  for (int i = output.first_fiber; i < output.end_fiber; ++i)
    for (int j = output.first_bin; j < output.end_bin; ++j) {
      double &chi2 = output.chi2pix[output.at(i, j)];
      chi2 = bounded_chi2(chi2);
    }
}

// solve(box) writes the output of a patch whose pixels on the CCD are box.
template <class Solve>
void run_patch(const Run &run, const specex_patch &patch, PatchOutput &output,
               Solve &&solve) {
  try {
    const Box box = patch_box(patch, run.image);
    if (!on_ccd(run.rules, patch, box)) {
      finish_unsolved(run, patch, SPECEX_OK, output);
      return;
    }
    solve(box);
    bound_chi2pix(output);
    output.status = SPECEX_OK;
  } catch (...) {
    finish_unsolved(run, patch, current_error().status(), output);
  }
}

}  // namespace specex
