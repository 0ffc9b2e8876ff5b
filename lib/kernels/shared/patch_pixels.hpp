// SPDX-License-Identifier: BSD-3-Clause
//
// The pixels of a patch, cleaned and in double, and the sums over them that every
// backend needs.
#pragma once

#include <vector>

#include "kernels/shared/image.hpp"
#include "kernels/shared/rules.hpp"
#include "kernels/shared/spot_table.hpp"

namespace specex {

class PatchPixels {
 public:
  PatchPixels(const specex_image &image, const Box &box);

  const Box &box() const { return box_; }
  const double *values(int y) const { return values_.data() + offset(y); }
  const double *weights(int y) const { return weights_.data() + offset(y); }

 private:
  // So that the result may be indexed by the CCD's column.
  ptrdiff_t offset(int y) const {
    return static_cast<ptrdiff_t>(y - box_.ymin) * box_.width() - box_.xmin;
  }

  Box box_;
  std::vector<double> values_;
  std::vector<double> weights_;
};

// The patch's pixels that are on the CCD.
inline Box patch_box(const specex_patch &patch, const specex_image &image) {
  return intersect({patch.xmin, patch.xmax, patch.ymin, patch.ymax},
                   {0, static_cast<int>(image.nx), 0, static_cast<int>(image.ny)});
}

// Whether a patch is to be solved at all: gpu_specter gives up a patch that leaves the
// CCD anywhere; the corrected mode trims it.
inline bool on_ccd(const Rules &rules, const specex_patch &patch, const Box &box) {
  if (!rules.compat) return !box.empty();
  return box.ymin == patch.ymin && box.ymax == patch.ymax && box.xmin == patch.xmin &&
         box.xmax == patch.xmax;
}

// Adds one spot's sums: data, weight, usable and masked share, diagonal.
void add_sums(const Stamp &stamp, const PatchPixels &pixels, size_t q, BinSums &sums);

}  // namespace specex
