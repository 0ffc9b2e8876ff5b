// SPDX-License-Identifier: BSD-3-Clause
//
// The SCORES table of a frame: each fibre's sum, median and signal to noise in a fixed
// wavelength range, by desispec's "counts" formulas.
#pragma once

#include <specex/specex.h>

#include <string>
#include <vector>

namespace specex::io {

struct Scores {
  std::string band;            // "B", "R" or "Z"; "": the frame has no bin in its band
  std::vector<double> sum;     // of flux
  std::vector<double> median;  // of flux / bin width
  std::vector<double> median_snr;  // of sqrt(ivar) flux / sqrt(bin width)
};

// Needs the frame's wavelength, flux and ivar, and at least two bins.
Scores compute_scores(const specex_frame &frame, int threads = 1);

}  // namespace specex::io
