// SPDX-License-Identifier: BSD-3-Clause
//
// Gauss-Hermite functions integrated over pixels. With phi the unit normal density and
// He_m the probabilists' Hermite polynomials,
//   integral of He_0 phi = (erf(b / sqrt2) - erf(a / sqrt2)) / 2
//   integral of He_m phi = He_{m-1}(a) phi(a) - He_{m-1}(b) phi(b),  m >= 1,
// because d/dt [He_{m-1} phi] = -He_m phi. Both are differences of one function of the
// pixel's edges; profile[m][k] is that of pixel k.
#pragma once

#include <cmath>
#include <vector>

namespace specex {

inline constexpr double inverse_sqrt_2 = 0.70710678118654752440;
inline constexpr double inverse_sqrt_2pi = 0.39894228040143267794;

// Profiles of degrees 0..degree over the 2 half + 1 pixels around the one that holds the
// centre. offset: the centre minus the centre of that pixel; sigma: both in pixels.
// profile: [degree + 1][2 half + 1]; edge: scratch for 2 half + 2 values a degree.
inline void hermite_profiles(double offset, double sigma, int half, int degree,
                             double *profile, double *edge) {
  const int npixel = 2 * half + 1;
  const int nedge = npixel + 1;
  for (int k = 0; k < nedge; ++k) {
    const double t = (k - half - 0.5 - offset) / sigma;
    const double density = inverse_sqrt_2pi * std::exp(-0.5 * t * t);
    edge[k] = -0.5 * std::erf(t * inverse_sqrt_2);
    double before = 0.0;
    double hermite = density;  // He_{m-1} phi
    for (int m = 1; m <= degree; ++m) {
      edge[m * nedge + k] = hermite;
      const double next = t * hermite - (m - 1) * before;
      before = hermite;
      hermite = next;
    }
  }
  for (int m = 0; m <= degree; ++m)
    for (int k = 0; k < npixel; ++k)
      profile[m * npixel + k] = edge[m * nedge + k] - edge[m * nedge + k + 1];
}

}  // namespace specex
