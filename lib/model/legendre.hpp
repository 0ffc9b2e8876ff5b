// SPDX-License-Identifier: BSD-3-Clause
//
// Legendre series, as PSF files store traces and shape parameters.
#pragma once

#include <cstddef>
#include <vector>

namespace specex {

// sum_k coefficient[k] P_k(t), by the three-term recurrence
// k P_k = (2k - 1) t P_{k-1} - (k - 1) P_{k-2}.
inline double legendre_sum(const double *coefficient, int n, double t) {
  double before = 0.0;
  double current = 1.0;
  double sum = 0.0;
  for (int k = 0; k < n; ++k) {
    sum += coefficient[k] * current;
    const double next = ((2 * k + 1) * t * current - k * before) / (k + 1);
    before = current;
    current = next;
  }
  return sum;
}

// One series per fibre over a common wavelength range; extrapolates outside it.
struct LegendreTable {
  int ncoef = 0;
  double wavemin = -1.0;  // Angstrom
  double wavemax = 1.0;
  std::vector<double> coefficients;  // [fibre][ncoef]

  double at(int fiber, double wave) const {
    const double t = 2.0 * (wave - wavemin) / (wavemax - wavemin) - 1.0;
    return legendre_sum(
        coefficients.data() + static_cast<size_t>(fiber) * static_cast<size_t>(ncoef),
        ncoef, t);
  }
};

}  // namespace specex
