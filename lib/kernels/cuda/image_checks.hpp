// SPDX-License-Identifier: BSD-3-Clause
//
// What the engine does with images and frames in the device's memory.
#pragma once

#include "kernels/cuda/atomics.hpp"
#include "kernels/shared/image.hpp"
#include "kernels/shared/spot_table.hpp"

namespace specex::gpu {

// Threads: pixels of the box.
struct CountBadPixels {
  specex_image image;
  Box box;
  unsigned long long *count;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int64_t y = box.ymin + i / box.width();
    const int64_t x = box.xmin + i % box.width();
    const double value = element(image.pixels, image.type, y * image.pixels_stride + x);
    const double ivar = element(image.ivar, image.type, y * image.ivar_stride + x);
    if (is_bad(value, ivar) && ivar != 0.0) count_up(count);
  }
};

struct FillMask {
  int32_t *mask;
  int32_t value;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const { mask[i] = value; }
};

}  // namespace specex::gpu
