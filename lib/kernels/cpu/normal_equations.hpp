// SPDX-License-Identifier: BSD-3-Clause
//
// The normal equations of a patch, N = A^T W A and b = A^T W d, straight from overlapping
// spots: A is never formed. Numbered wavelength by wavelength, p = bin * nfiber + fibre,
// N is a band matrix, because spots of distant bins do not overlap.
#pragma once

#include <vector>

#include "kernels/shared/finish.hpp"
#include "kernels/shared/patch_pixels.hpp"

namespace specex {

struct BandedNormal {
  int n = 0;
  int half = 0;               // half bandwidth
  std::vector<double> lower;  // [n][half + 1]: element (p, m) = N[p + m][p]
  BinSums sums{0};            // by fibre, as PatchShape numbers bins

  Symmetric dense_by_fiber(const PatchShape &shape) const;
};

inline int banded_index(const PatchShape &shape, int fiber, int bin) {
  return bin * shape.nfiber + fiber;
}

BandedNormal make_normal_equations(const SpotTable &spots, const specex_patch &patch,
                                   const PatchPixels &pixels);

// Applies the outcome of condition(): bins that take no part are decoupled.
void apply_conditioning(const PatchShape &shape, const std::vector<bool> &measured,
                        BandedNormal &normal);

}  // namespace specex
