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

#include "base/host_device.hpp"

namespace specex {

inline constexpr double inverse_sqrt_2 = 0.70710678118654752440;
inline constexpr double inverse_sqrt_2pi = 0.39894228040143267794;

// The centre of a pixel is an integer: how far a position is from the nearest one.
SPECEX_HOST_DEVICE inline double offset_in_pixel(double position) {
  return position - std::floor(position + 0.5);
}

// The tail's value at a pixel x, y from the centre.
SPECEX_HOST_DEVICE inline double lorentzian_tail(double amplitude, double core,
                                                 double x_scale, double y_scale,
                                                 double index, double x, double y) {
  const double u = x * x_scale;
  const double v = y * y_scale;
  const double r2 = u * u + v * v;
  return amplitude * r2 * std::pow(core * core + r2, -(1.0 + 0.5 * index));
}

// The functions whose differences are the profiles of degrees 0..degree, at the edge
// below pixel k: value[m * stride]. offset: the centre minus the centre of pixel `half`;
// sigma: both in pixels.
SPECEX_HOST_DEVICE inline void hermite_edge(int k, double offset, double sigma, int half,
                                            int degree, double *value, int stride) {
  const double t = (k - half - 0.5 - offset) / sigma;
  const double density = inverse_sqrt_2pi * std::exp(-0.5 * t * t);
  value[0] = -0.5 * std::erf(t * inverse_sqrt_2);
  double before = 0.0;
  double hermite = density;  // He_{m-1} phi
  for (int m = 1; m <= degree; ++m) {
    value[m * stride] = hermite;
    const double next = t * hermite - (m - 1) * before;
    before = hermite;
    hermite = next;
  }
}

// Profiles of degrees 0..degree over the 2 half + 1 pixels around the one that holds the
// centre.
// profile: [degree + 1][2 half + 1]; edge: scratch for 2 half + 2 values a degree.
inline void hermite_profiles(double offset, double sigma, int half, int degree,
                             double *profile, double *edge) {
  const int npixel = 2 * half + 1;
  const int nedge = npixel + 1;
  for (int k = 0; k < nedge; ++k)
    hermite_edge(k, offset, sigma, half, degree, edge + k, nedge);
  for (int m = 0; m <= degree; ++m)
    for (int k = 0; k < npixel; ++k)
      profile[m * npixel + k] = edge[m * nedge + k] - edge[m * nedge + k + 1];
}

}  // namespace specex
