// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "session.hpp"

namespace specex_cli {

// How well an extraction found the truth.
struct TruthComparison {
  std::vector<double> expected;  // R applied to the truth, [nspec][nwave]
  std::vector<double> pulls;     // (flux - expected) sqrt(ivar) of the good bins
  double mean = 0;               // of the pulls
  double variance = 0;
  double chi2_per_pixel = 0;  // of the model image, per degree of freedom
};

// What the picture shows.
struct Demonstration {
  specex_image image{};  // float32 pixels
  specex_frame frame{};
  TruthComparison comparison;
  std::string summary;  // a line below the title
};

// The picture as SVG text. The context holds the PSF.
std::string draw_demo(const Context &context, const Demonstration &demonstration);

}  // namespace specex_cli
