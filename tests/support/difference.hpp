// SPDX-License-Identifier: BSD-3-Clause
//
// How far two extractions of a case are apart.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "support/synthetic_case.hpp"

namespace specex_test {

struct Difference {
  double pull = 0.0;        // of flux; see difference()
  double ivar = 0.0;        // relative
  double resolution = 0.0;  // absolute
  double chi2 = 0.0;        // relative to 1 + chi2pix

  double worst() const { return std::max({pull, ivar, resolution}); }
};

// Over bins that hold more than rounding, less `margin` at each end of the grid. Flux
// differs in standard deviations, or in parts of a hundredth of itself where that is
// more: no solution of linear equations can be held to less than roundings of what it
// solves for.
inline Difference difference(const Case &c, const Frame &frame, const Frame &expected,
                             int64_t margin = 0) {
  Difference d;
  const double best = *std::max_element(expected.ivar.begin(), expected.ivar.end());
  const auto nwave = static_cast<size_t>(c.grid.nwave);
  const auto ndiag = static_cast<size_t>(2 * c.spec.hsizey + 1);
  const auto low = static_cast<size_t>(margin);
  for (size_t k = 0; k < expected.flux.size(); ++k) {
    if (k % nwave < low || k % nwave >= nwave - low) continue;
    if (expected.ivar[k] <= 1e-9 * best || expected.pixmask_fraction[k] > 0.9) continue;
    const double sigma = std::sqrt(1.0 / expected.ivar[k]);
    d.pull = std::max(d.pull, std::abs(frame.flux[k] - expected.flux[k]) /
                                  std::max(sigma, 0.01 * std::abs(expected.flux[k])));
    d.ivar = std::max(d.ivar, std::abs(frame.ivar[k] / expected.ivar[k] - 1.0));
    d.chi2 = std::max(d.chi2, std::abs(frame.chi2pix[k] - expected.chi2pix[k]) /
                                  (1.0 + expected.chi2pix[k]));
    for (size_t m = 0; m < ndiag; ++m) {
      const size_t element = (k / nwave * ndiag + m) * nwave + k % nwave;
      d.resolution = std::max(d.resolution, std::abs(frame.resolution[element] -
                                                     expected.resolution[element]));
    }
  }
  return d;
}

}  // namespace specex_test
