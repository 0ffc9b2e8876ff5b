// SPDX-License-Identifier: BSD-3-Clause
//
// The PSF at every bin of a sheet, one thread a spot: the formula of
// kernels/shared/gauss_hermite_spots.hpp, column by column, so that a thread keeps
// profiles along y and little else.
#pragma once

#include <cmath>

#include "kernels/cuda/device_psf.hpp"
#include "kernels/cuda/sheet.hpp"
#include "kernels/shared/gauss_hermite.hpp"

namespace specex::gpu {

// What the larger instance of EvaluateSpots has room for.
inline constexpr int max_degree = 12;
inline constexpr int max_side = 41;  // pixels along y

template <int Degree, int Side>
struct EvaluateSpots {
  Sheet sheet;
  DevicePsf psf;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int f = sheet.fiber_of(i);
    const int w = sheet.bin_of(i);
    const int fiber = sheet.first_fiber + f;
    const double wave = sheet.wave(w);
    const double dx = offset_in_pixel(psf.xtrace.at(fiber, wave));
    const double dy = offset_in_pixel(psf.ytrace.at(fiber, wave));
    const double sigma_x = psf.sigma_x.at(fiber, wave);
    const double sigma_y = psf.sigma_y.at(fiber, wave);
    const int nx = sheet.nx;
    const int ny = sheet.ny;
    const int yterms = psf.degree_y + 1;

    double coefficient[(Degree + 1) * (Degree + 1)];
    coefficients(fiber, wave, coefficient);
    double tail[ntail];
    if (psf.has_tail) tails(fiber, wave, tail);

    double profile_y[(Degree + 1) * Side];  // [j][row]
    differences<Degree>(
        ny, dy, sigma_y, psf.half_y, psf.degree_y,
        [&](int r, int j, double value) { profile_y[j * Side + r] = value; });
    double sum = 0.0;
    double of_column[Degree + 1];  // sum_i c_ij P_i(x)
    differences<Degree>(
        nx, dx, sigma_x, psf.half_x, psf.degree_x,
        [&](int k, int i_degree, double value) {
          if (i_degree == 0)
            for (int j = 0; j < yterms; ++j) of_column[j] = 0.0;
          for (int j = 0; j < yterms; ++j)
            of_column[j] += coefficient[i_degree * (Degree + 1) + j] * value;
          if (i_degree != psf.degree_x) return;
          for (int r = 0; r < ny; ++r) {
            double pixel = 0.0;
            for (int j = 0; j < yterms; ++j)
              pixel += profile_y[j * Side + r] * of_column[j];
            if (psf.has_tail)
              pixel += lorentzian_tail(tail[0], tail[1], tail[2], tail[3], tail[4],
                                       k - psf.half_x - dx, r - psf.half_y - dy);
            pixel = pixel > 0.0 ? pixel : 0.0;
            sum += pixel;
            sheet.spots[sheet.spot_at(w, f, r, k)] = pixel;
          }
        });
    const bool good = sum > 0.0 && std::isfinite(sum);
    for (int r = 0; r < ny; ++r)
      for (int k = 0; k < nx; ++k) {
        double &pixel = sheet.spots[sheet.spot_at(w, f, r, k)];
        pixel = good ? pixel / sum : 0.0;
      }
  }

 private:
  // Calls visit(pixel, m, profile of degree m there).
  template <int MaxDegree, class Visit>
  SPECEX_HOST_DEVICE static void differences(int npixel, double offset, double sigma,
                                             int half, int degree, Visit &&visit) {
    double low[MaxDegree + 1];
    double high[MaxDegree + 1];
    hermite_edge(0, offset, sigma, half, degree, low, 1);
    for (int k = 0; k < npixel; ++k) {
      hermite_edge(k + 1, offset, sigma, half, degree, high, 1);
      for (int m = 0; m <= degree; ++m) {
        visit(k, m, low[m] - high[m]);
        low[m] = high[m];
      }
    }
  }

  SPECEX_HOST_DEVICE void coefficients(int fiber, double wave, double *value) const {
    const int xterms = psf.degree_x + 1;
    const int yterms = psf.degree_y + 1;
    for (int k = 0; k < (Degree + 1) * (Degree + 1); ++k) value[k] = 0.0;
    const Series &s = psf.terms;
    for_each_legendre(
        s.ncoef, scaled_wave(wave, s.wavemin, s.wavemax), [&](int k, double polynomial) {
          for (int i = 0; i < xterms; ++i)
            for (int j = 0; j < yterms; ++j)
              value[i * (Degree + 1) + j] +=
                  polynomial *
                  s.coefficients[(int64_t{i * yterms + j} * s.ncoef + k) * s.nspec +
                                 fiber];
        });
  }

  SPECEX_HOST_DEVICE void tails(int fiber, double wave, double *value) const {
    Series one = psf.tail;
    for (int t = 0; t < ntail; ++t, one.coefficients += int64_t{one.ncoef} * one.nspec)
      value[t] = one.at(fiber, wave);
  }
};

}  // namespace specex::gpu
