// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>

#include "detector.hpp"
#include "session.hpp"

namespace specex_cli {

struct SimulateOptions {
  std::string psf;
  std::string output;      // preproc file
  std::string truth;       // frame file with the spectra; "": none
  std::string spectra;     // frame file to take spectra from; "": made up
  std::string wavelength;  // wmin,wmax,dw; "": the camera's range
  int32_t first_fiber = 0;
  int32_t nspec = 0;  // 0: all
  int32_t oversample = 1;
  uint64_t seed = 0;
  Detector detector;  // its size is the PSF's
};

// Simulates an exposure and writes it, and the truth where asked for.
void simulate(const Context &context, const SimulateOptions &options);

}  // namespace specex_cli
