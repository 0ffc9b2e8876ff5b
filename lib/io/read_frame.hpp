// SPDX-License-Identifier: BSD-3-Clause
//
// A frame or truth file: FLUX, WAVELENGTH and, where present, IVAR, MASK, RESOLUTION,
// CHI2PIX, PIXMASK_FRACTION and MODEL.
#pragma once

#include <specex/specex.h>

#include <memory>

#include "io/pass_through.hpp"

namespace specex::io {

struct FrameFile {
  specex_frame frame{};  // its arrays are those below, NULL where the file has none
  std::unique_ptr<double[]> wavelength, flux, ivar, resolution, chi2pix, pixmask_fraction,
      model;
  std::unique_ptr<int32_t[]> mask;
  PassThrough pass;
};

FrameFile read_frame(const char *name, int threads = 1);

}  // namespace specex::io
