// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <specex/specex.h>

namespace specex_test {

// A patch of 3 diagonals whose model is 4 x 4 pixels from (-1, 2).
inline specex_patch patch_at(int first_fiber, int nfiber, int first_bin, int nbin,
                             int nkeep) {
  specex_patch patch{};
  patch.struct_size = sizeof patch;
  patch.first_fiber = first_fiber;
  patch.nfiber = nfiber;
  patch.first_bin = first_bin;
  patch.nbin = nbin;
  patch.nkeep = nkeep;
  patch.ndiag = 3;
  patch.xmin = -1;
  patch.xmax = 3;
  patch.ymin = 2;
  patch.ymax = 6;
  return patch;
}

}  // namespace specex_test
