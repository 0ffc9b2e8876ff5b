// SPDX-License-Identifier: BSD-3-Clause
//
// What every backend does around one patch: skip it where it is off the CCD, turn a
// failure into the patch's own status with masked outputs, and keep chi2 finite.
#pragma once

#include <cmath>
#include <limits>

#include "base/error.hpp"
#include "kernels/shared/finish.hpp"
#include "kernels/shared/patch_pixels.hpp"

namespace specex {

// The square of a residual overflows long before the residual does.
inline void bound_chi2pix(const specex_patch &patch, double *chi2pix) {
  if (chi2pix == nullptr) return;
  const int64_t count = int64_t{patch.nfiber} * patch.nbin;
  for (int64_t k = 0; k < count; ++k)
    if (!std::isfinite(chi2pix[k])) chi2pix[k] = std::numeric_limits<double>::max();
}

// solve(box) writes the result of a patch whose pixels on the CCD are box.
template <class Solve>
void run_patch(const Run &run, const specex_patch &patch, specex_result &result,
               Solve &&solve) {
  try {
    const Box box = patch_box(patch, run.image);
    if (!on_ccd(run.rules, patch, box)) {
      finish_unsolved(run, patch, SPECEX_OK, result);
      return;
    }
    solve(box);
    bound_chi2pix(patch, result.chi2pix);
    result.status = SPECEX_OK;
  } catch (...) {
    finish_unsolved(run, patch, current_error().status(), result);
  }
}

}  // namespace specex
