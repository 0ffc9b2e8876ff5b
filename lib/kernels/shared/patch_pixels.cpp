// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/shared/patch_pixels.hpp"

namespace specex {

PatchPixels::PatchPixels(const specex_image &image, const Box &box) : box_(box) {
  const auto count = static_cast<size_t>(box.width()) * static_cast<size_t>(box.height());
  values_.reserve(count);
  weights_.reserve(count);
  for (int y = box.ymin; y < box.ymax; ++y)
    for (int x = box.xmin; x < box.xmax; ++x) {
      const Pixel pixel = pixel_at(image, y, x);
      values_.push_back(pixel.value);
      weights_.push_back(pixel.weight);
    }
}

void add_sums(const Stamp &stamp, const PatchPixels &pixels, size_t q, BinSums &sums) {
  const Box inside = intersect(stamp.box, pixels.box());
  for (int y = stamp.box.ymin; y < stamp.box.ymax; ++y) {
    const double *spot = stamp.row(y);
    const bool row_inside = y >= inside.ymin && y < inside.ymax;
    for (int x = stamp.box.xmin; x < stamp.box.xmax; ++x) {
      const bool in = row_inside && x >= inside.xmin && x < inside.xmax;
      const double weight = in ? pixels.weights(y)[x] : 0.0;
      if (weight > 0.0) {
        sums.usable[q] += spot[x];
        sums.weight[q] += weight * spot[x];
        sums.data[q] += weight * spot[x] * pixels.values(y)[x];
        sums.diagonal[q] += weight * spot[x] * spot[x];
      } else {
        sums.masked[q] += spot[x];
      }
    }
  }
}

}  // namespace specex
