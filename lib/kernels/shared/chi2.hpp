// SPDX-License-Identifier: BSD-3-Clause
//
// chi2 of a pixel, for double and for vectors of it: the model's error is a fraction
// psferr of the model. 0 where the weight is 0.
#pragma once

namespace specex {

template <class T>
inline __attribute__((always_inline)) T pixel_chi2(T value, T weight, T model,
                                                   double psferr) {
  const T error = model * psferr + 1e-32;
  const T residual = value - model;
  return residual * residual / (1.0 / weight + error * error);
}

}  // namespace specex
