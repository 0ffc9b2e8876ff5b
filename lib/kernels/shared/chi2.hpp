// SPDX-License-Identifier: BSD-3-Clause
//
// chi2 of a pixel, for double and for vectors of it: the model's error is a fraction
// psferr of the model. 0 where the weight is 0. Values whose square overflows count as
// max_pixel_chi2, so that sums stay finite.
#pragma once

namespace specex {

inline constexpr double max_pixel_chi2 = 1e200;

template <class T>
inline __attribute__((always_inline)) T minimum(T a, T b) {
  return a < b ? a : b;
}

template <class T>
inline __attribute__((always_inline)) T pixel_chi2(T value, T weight, T model,
                                                   double psferr) {
  const T error = model * psferr + 1e-32;
  const T residual = value - model;
  // 1 / (1 / weight + error^2) with one division.
  const T chi2 = residual * residual * weight / (1.0 + error * error * weight);
  const T largest = T{} + max_pixel_chi2;
  return minimum(chi2, largest);
}

// chi2pix of a bin: the mean over its usable pixels. used: the part of the profile on
// them, of which some ways of finding it know 1e-12 at best.
inline double mean_chi2(double sum, double used) {
  return used > 1e-12 ? sum / used : 0.0;
}

}  // namespace specex
