// SPDX-License-Identifier: BSD-3-Clause
//
// What a CCD makes of the light that falls on it: counting statistics, read noise, cosmic
// rays and bad columns.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace specex_cli {

struct Detector {
  int64_t nx = 0;  // pixels
  int64_t ny = 0;
  double readnoise = 3;         // electrons rms
  bool noise = true;            // false: pixels hold their expected values
  bool ivar_from_data = false;  // variance of the measured pixel, not of its expectation
  int32_t ncosmic = 0;          // tracks
  int32_t nbadcolumn = 0;
};

struct Exposure {
  std::vector<float> pixels;  // [ny][nx], electrons
  std::vector<float> ivar;    // [ny][nx], of noise alone: masked pixels keep theirs
  std::vector<int32_t> mask;  // [ny][nx], bits of desispec's ccdmask
};

// expected: [ny][nx] electrons, >= 0. The same seed gives the same exposure.
Exposure expose(const Detector &detector, std::span<const double> expected,
                uint64_t seed);

}  // namespace specex_cli
