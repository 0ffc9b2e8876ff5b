// SPDX-License-Identifier: BSD-3-Clause
//
// The normal equations of a patch, N = A^T W A and b = A^T W d, straight from overlapping
// spots: A is never formed. Numbered wavelength by wavelength, p = bin * nfiber + fibre,
// N is a band matrix, because spots of distant bins do not overlap.
#pragma once

#include <algorithm>
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

  // Calls visit(f, w, g, v, value) once for each element that is not 0 of bin w of fibre
  // f with bin v of fibre g: f < g, or f = g and w <= v.
  template <class Visit>
  void for_each_element(const PatchShape &shape, Visit &&visit) const {
    for (int p = 0; p < n; ++p)
      for (int m = 0; m <= std::min(half, n - 1 - p); ++m) {
        const double value =
            lower[static_cast<size_t>(p) * static_cast<size_t>(half + 1) +
                  static_cast<size_t>(m)];
        if (value == 0.0) continue;
        const int f = p % shape.nfiber;
        const int w = p / shape.nfiber;
        const int g = (p + m) % shape.nfiber;
        const int v = (p + m) / shape.nfiber;
        if (f <= g)
          visit(f, w, g, v, value);
        else
          visit(g, v, f, w, value);
      }
  }
};

inline int banded_index(const PatchShape &shape, int fiber, int bin) {
  return bin * shape.nfiber + fiber;
}

BandedNormal make_normal_equations(const SpotTable &spots, const specex_patch &patch,
                                   const PatchPixels &pixels);

// Applies the outcome of condition(): bins that take no part are decoupled.
void apply_conditioning(const PatchShape &shape, const std::vector<bool> &measured,
                        BandedNormal &normal);

// A patch's spots and the pixels that they fall on.
struct OwnPixels {
  OwnPixels(const Run &run, const specex_patch &patch, SpotTable table);

  SpotTable spots;
  PatchPixels pixels;
};

// And its normal equations, in double precision throughout, conditioned.
struct OwnEquations : OwnPixels {
  OwnEquations(const Run &run, const specex_patch &patch, SpotTable table);

  BandedNormal normal;
  std::vector<bool> measured;
};

}  // namespace specex
