// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/shared/gauss_hermite_spots.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numeric>

#include "kernels/shared/gauss_hermite.hpp"

namespace specex {

GaussHermiteSpots::GaussHermiteSpots(const Psf &psf)
    : psf_(psf), sigma_x_(*psf.find("GHSIGX")), sigma_y_(*psf.find("GHSIGY")) {
  for (int i = 0; i <= psf.ghdegx; ++i)
    for (int j = 0; j <= psf.ghdegy; ++j) {
      std::array<char, 32> name{};
      std::snprintf(name.data(), name.size(), "GH-%d-%d", i, j);
      if (const LegendreTable *coefficient = psf.find(name.data()))
        terms_.push_back({i, j, coefficient});
    }
  for (const char *name : {"TAILAMP", "TAILCORE", "TAILXSCA", "TAILYSCA", "TAILINDE"})
    if (const LegendreTable *table = psf.find(name)) tail_.push_back(table);
  const auto is_zero = [](double value) { return value == 0.0; };
  if (tail_.size() != 5 ||
      std::all_of(tail_[0]->coefficients.begin(), tail_[0]->coefficients.end(), is_zero))
    tail_.clear();
}

Corner GaussHermiteSpots::evaluate(int fiber, double wave, double *spot) const {
  const int nx = psf_.spot_nx();
  const int ny = psf_.spot_ny();
  const double x = psf_.xtrace.at(fiber, wave);
  const double y = psf_.ytrace.at(fiber, wave);
  const double dx = offset_in_pixel(x);
  const double dy = offset_in_pixel(y);

  thread_local std::vector<double> scratch;
  const auto x_size = static_cast<size_t>((psf_.ghdegx + 1) * nx);
  const auto y_size = static_cast<size_t>((psf_.ghdegy + 1) * ny);
  const auto edge_size = static_cast<size_t>(
      std::max((psf_.ghdegx + 1) * (nx + 1), (psf_.ghdegy + 1) * (ny + 1)));
  const auto row_size = static_cast<size_t>((psf_.ghdegy + 1) * nx);
  scratch.resize(x_size + y_size + edge_size + row_size);
  double *profile_x = scratch.data();
  double *profile_y = profile_x + x_size;
  double *row = profile_y + y_size;  // row[j] = sum_i c_ij P_i(x)
  double *edge = row + row_size;

  hermite_profiles(dx, sigma_x_.at(fiber, wave), psf_.hsizex, psf_.ghdegx, profile_x,
                   edge);
  hermite_profiles(dy, sigma_y_.at(fiber, wave), psf_.hsizey, psf_.ghdegy, profile_y,
                   edge);
  std::fill(row, row + row_size, 0.0);
  for (const Term &term : terms_) {
    const double c = term.coefficient->at(fiber, wave);
    for (int k = 0; k < nx; ++k) row[term.j * nx + k] += c * profile_x[term.i * nx + k];
  }
  std::fill(spot, spot + nx * ny, 0.0);
  for (int j = 0; j <= psf_.ghdegy; ++j)
    for (int r = 0; r < ny; ++r)
      for (int k = 0; k < nx; ++k)
        spot[r * nx + k] += profile_y[j * ny + r] * row[j * nx + k];
  if (!tail_.empty()) add_tail(fiber, wave, dx, dy, spot);

  for (int k = 0; k < nx * ny; ++k) spot[k] = std::max(spot[k], 0.0);
  const double sum = std::accumulate(spot, spot + nx * ny, 0.0);
  if (sum > 0.0 && std::isfinite(sum))
    for (int k = 0; k < nx * ny; ++k) spot[k] /= sum;
  else
    std::fill(spot, spot + nx * ny, 0.0);
  return spot_corner(psf_, x, y);
}

void GaussHermiteSpots::add_tail(int fiber, double wave, double dx, double dy,
                                 double *spot) const {
  const double amplitude = tail_[0]->at(fiber, wave);
  const double core = tail_[1]->at(fiber, wave);
  const double x_scale = tail_[2]->at(fiber, wave);
  const double y_scale = tail_[3]->at(fiber, wave);
  const double index = tail_[4]->at(fiber, wave);
  for (int r = 0; r < psf_.spot_ny(); ++r)
    for (int k = 0; k < psf_.spot_nx(); ++k)
      spot[r * psf_.spot_nx() + k] +=
          lorentzian_tail(amplitude, core, x_scale, y_scale, index, k - psf_.hsizex - dx,
                          r - psf_.hsizey - dy);
}

}  // namespace specex
