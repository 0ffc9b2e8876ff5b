// SPDX-License-Identifier: BSD-3-Clause
//
// A PSF as tables: traces and named parameters, checked and owned. What the parameters
// mean for a pixel is the business of kernels/shared/spot_model.
#pragma once

#include <specex/specex.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/host_device.hpp"
#include "model/legendre.hpp"

namespace specex {

struct Psf {
  int kind = SPECEX_PSF_GAUSS_HERMITE;
  int nspec = 0;
  int64_t nx = 0;  // CCD, pixels; 0: unknown
  int64_t ny = 0;
  int hsizex = 0;
  int hsizey = 0;
  int ghdegx = 0;
  int ghdegy = 0;
  double psferr = 0.01;
  LegendreTable xtrace;  // pixels
  LegendreTable ytrace;
  std::vector<std::pair<std::string, LegendreTable>> parameters;
  std::vector<bool> failed_fit;  // [nspec], from STATUS

  int spot_nx() const { return 2 * hsizex + 1; }
  int spot_ny() const { return 2 * hsizey + 1; }
  int ndiag() const { return 2 * hsizey + 1; }

  // Range that traces and parameters have in common, Angstrom.
  double wavemin() const;
  double wavemax() const;

  // NULL when the PSF has no such parameter.
  const LegendreTable *find(std::string_view name) const;
};

// Lower left pixel of a fibre's spot. Positions that no image could hold are kept at
// the limits of far_pixel, so that integer arithmetic on corners never overflows.
inline constexpr int far_pixel = 1 << 24;
struct Corner {
  int x;
  int y;
};
// By an integer conversion: a call of floor takes longer than all the rest.
SPECEX_HOST_DEVICE inline int corner_pixel(double position, int half_size) {
  constexpr double limit = far_pixel;
  const double lowest = position - half_size + 0.5;
  // NaN, of a series that overflows, is not above -limit.
  const double near = lowest > -limit ? (lowest < limit ? lowest : limit) : -limit;
  const int truncated = static_cast<int>(near);
  return truncated - (near < truncated ? 1 : 0);
}
inline Corner spot_corner(const Psf &psf, double x, double y) {
  return {corner_pixel(x, psf.hsizex), corner_pixel(y, psf.hsizey)};
}

// Checks every size and value. Throws ARGUMENT, PSF or UNSUPPORTED.
Psf copy_psf(const specex_psf &given);

}  // namespace specex
