// SPDX-License-Identifier: BSD-3-Clause
//
// chi2 of a pixel, for double and for vectors of it: the model's error is a fraction
// psferr of the model. 0 where the weight is 0. Values whose square overflows count as
// max_pixel_chi2, so that sums stay finite.
#pragma once

#include <cmath>
#include <limits>

#include "base/host_device.hpp"

namespace specex {

inline constexpr double max_pixel_chi2 = 1e200;

template <class T>
SPECEX_HOST_DEVICE inline __attribute__((always_inline)) T minimum(T a, T b) {
  return a < b ? a : b;
}

template <class T>
SPECEX_HOST_DEVICE inline __attribute__((always_inline)) T pixel_chi2(T value, T weight,
                                                                      T model,
                                                                      double psferr) {
  const T error = model * psferr + 1e-32;
  const T residual = value - model;
  // residual^2 / (1 / weight + error^2) with one division, and 0 for no weight whatever
  // the model is.
  const T chi2 = residual * weight * residual / (1.0 + error * weight * error);
  const T largest = T{} + max_pixel_chi2;
  return minimum(chi2, largest);
}

// The square of a residual overflows long before the residual does.
SPECEX_HOST_DEVICE inline double bounded_chi2(double chi2) {
  return std::isfinite(chi2) ? chi2 : std::numeric_limits<double>::max();
}

// chi2pix of a bin: the mean over its usable pixels. used: the part of the profile on
// them, of which some ways of finding it know 1e-12 at best.
SPECEX_HOST_DEVICE inline double mean_chi2(double sum, double used) {
  return used > 1e-12 ? sum / used : 0.0;
}

}  // namespace specex
