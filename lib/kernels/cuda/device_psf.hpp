// SPDX-License-Identifier: BSD-3-Clause
//
// A Gauss-Hermite PSF as kernels see it: coefficients [term][degree][fibre].
#pragma once

#include <cstdint>

#include "base/host_device.hpp"
#include "model/legendre.hpp"

namespace specex::gpu {

struct Series {
  const double *coefficients;  // [ncoef][nspec]
  int ncoef;
  int nspec;
  double wavemin;
  double wavemax;

  SPECEX_HOST_DEVICE double at(int fiber, double wave) const {
    double sum = 0.0;
    for_each_legendre(ncoef, scaled_wave(wave, wavemin, wavemax),
                      [&](int k, double value) {
                        sum += coefficients[int64_t{k} * nspec + fiber] * value;
                      });
    return sum;
  }
};

inline constexpr int ntail = 5;  // amplitude, core, x scale, y scale, index

struct DevicePsf {
  int half_x;
  int half_y;
  int degree_x;
  int degree_y;
  Series xtrace;
  Series ytrace;
  Series sigma_x;
  Series sigma_y;
  Series terms;  // [degree_x + 1][degree_y + 1] of them, one after the other
  Series tail;   // ntail of them
  bool has_tail;
  const int32_t *failed_fit;  // [nspec]
};

}  // namespace specex::gpu
