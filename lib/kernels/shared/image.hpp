// SPDX-License-Identifier: BSD-3-Clause
//
// Reading pixels of either type, and the one rule of what a usable pixel is.
#pragma once

#include <specex/specex.h>

#include <cmath>
#include <cstddef>

#include "base/host_device.hpp"

namespace specex {

// A pixel as the solution sees it. Unusable ones have value 0 and weight 0, so that
// nothing that is not finite ever enters a sum (0 * NaN would).
struct Pixel {
  double value;   // electrons
  double weight;  // 1/electrons^2
};

template <class T>
SPECEX_HOST_DEVICE inline bool is_bad(T value, T ivar) {
  // Without a branch, so that it is done for several pixels at a time.
  const int bad =
      int{!std::isfinite(value)} | int{!std::isfinite(ivar)} | int{ivar < T{0}};
  return bad != 0;
}

SPECEX_HOST_DEVICE inline Pixel clean(double value, double ivar) {
  const bool usable = (int{!is_bad(value, ivar)} & int{ivar != 0.0}) != 0;
  return {usable ? value : 0.0, usable ? ivar : 0.0};
}

SPECEX_HOST_DEVICE inline double element(const void *array, int32_t type, int64_t index) {
  return type == SPECEX_FLOAT32
             ? static_cast<double>(static_cast<const float *>(array)[index])
             : static_cast<const double *>(array)[index];
}

SPECEX_HOST_DEVICE inline Pixel pixel_at(const specex_image &image, int64_t y,
                                         int64_t x) {
  return clean(element(image.pixels, image.type, y * image.pixels_stride + x),
               element(image.ivar, image.type, y * image.ivar_stride + x));
}

}  // namespace specex
