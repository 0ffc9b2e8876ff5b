// SPDX-License-Identifier: BSD-3-Clause
//
// Legendre series, as PSF files store traces and shape parameters.
#pragma once

#include <algorithm>
#include <cstddef>
#include <type_traits>
#include <vector>

#include "base/host_device.hpp"

namespace specex {

// Calls visit(k, P_k(t)) for k < n, by the three-term recurrence
// (k + 1) P_{k+1} = (2 k + 1) t P_k - k P_{k-1}.
template <class Visit>
SPECEX_HOST_DEVICE inline void for_each_legendre(int n, double t, Visit &&visit) {
  double before = 0.0;
  double current = 1.0;
  for (int k = 0; k < n; ++k) {
    visit(k, current);
    const double next = ((2 * k + 1) * t * current - k * before) / (k + 1);
    before = current;
    current = next;
  }
}

// sum_k coefficient[k] P_k(t)
inline double legendre_sum(const double *coefficient, int n, double t) {
  double sum = 0.0;
  for_each_legendre(n, t, [&](int k, double value) { sum += coefficient[k] * value; });
  return sum;
}

// Maps [low, high] to [-1, 1].
SPECEX_HOST_DEVICE inline double scaled_wave(double wave, double low, double high) {
  return 2.0 * (wave - low) / (high - low) - 1.0;
}

// One series per fibre over a common wavelength range; extrapolates outside it.
struct LegendreTable {
  int ncoef = 0;
  double wavemin = -1.0;  // Angstrom
  double wavemax = 1.0;
  std::vector<double> coefficients;  // [fibre][ncoef]

  double scaled(double wave) const { return scaled_wave(wave, wavemin, wavemax); }
  double at(int fiber, double wave) const {
    return legendre_sum(
        coefficients.data() + static_cast<size_t>(fiber) * static_cast<size_t>(ncoef),
        ncoef, scaled(wave));
  }
};

// The polynomials of a table at many wavelengths, which all fibres share.
struct LegendreBasis {
  size_t count = 0;            // wavelengths
  std::vector<double> values;  // [ncoef][count]

  // Of wavelength(i), i < n.
  template <class Wavelength>
  void tabulate(const LegendreTable &table, size_t n, Wavelength &&wavelength) {
    count = n;
    values.resize(static_cast<size_t>(table.ncoef) * n);
    for (size_t i = 0; i < n; ++i)
      for_each_legendre(
          table.ncoef, table.scaled(wavelength(i)),
          [&](int k, double value) { values[static_cast<size_t>(k) * n + i] = value; });
  }

  // A fibre's series at the first n of them.
  void evaluate(const LegendreTable &table, int fiber, size_t n, double *sums) const {
    const auto ncoef = static_cast<size_t>(table.ncoef);
    const double *coefficient =
        table.coefficients.data() + static_cast<size_t>(fiber) * ncoef;
    const auto sum = [&]<size_t Some>(size_t i, std::integral_constant<size_t, Some>) {
      double some[Some] = {};  // in registers
      for (size_t k = 0; k < ncoef; ++k)
        for (size_t j = 0; j < Some; ++j)
          some[j] += coefficient[k] * values[k * count + i + j];
      for (size_t j = 0; j < Some; ++j) sums[i + j] = some[j];
    };
    size_t i = 0;
    for (; i + 8 <= n; i += 8) sum(i, std::integral_constant<size_t, 8>());
    for (; i < n; ++i) sum(i, std::integral_constant<size_t, 1>());
  }
};

}  // namespace specex
