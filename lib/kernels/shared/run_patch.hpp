// SPDX-License-Identifier: BSD-3-Clause
//
// What every backend does around one patch: skip it where it is off the CCD, and turn a
// failure into the patch's own status with masked outputs.
#pragma once

#include "base/error.hpp"
#include "kernels/shared/finish.hpp"
#include "kernels/shared/patch_pixels.hpp"

namespace specex {

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
    result.status = SPECEX_OK;
  } catch (...) {
    finish_unsolved(run, patch, current_error().status(), result);
  }
}

}  // namespace specex
