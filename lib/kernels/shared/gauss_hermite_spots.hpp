// SPDX-License-Identifier: BSD-3-Clause
//
// GAUSS-HERMITE version 3: a sum of separable Gauss-Hermite terms and a Lorentzian tail,
//   S[y][x] = sum_ij c_ij P_j(y) P_i(x) + A r^2 / (C^2 + r^2)^(1 + n/2),
//   r^2 = (dx TAILXSCA)^2 + (dy TAILYSCA)^2  at pixel centres,
// clipped at 0 and divided by its sum.
#pragma once

#include <vector>

#include "kernels/shared/spot_model.hpp"

namespace specex {

class GaussHermiteSpots final : public SpotModel {
 public:
  struct Term {
    int i;  // x degree
    int j;  // y degree
    const LegendreTable *coefficient;
  };

  explicit GaussHermiteSpots(const Psf &psf);
  Corner evaluate(int fiber, double wave, double *spot) const override;

  // For backends that evaluate the same formula many spots at a time.
  bool has_tail() const { return !tail_.empty(); }
  const LegendreTable &sigma_x() const { return sigma_x_; }
  const LegendreTable &sigma_y() const { return sigma_y_; }
  const std::vector<Term> &terms() const { return terms_; }
  // Amplitude, core, x scale, y scale, index; none where the PSF has no tail anywhere.
  const std::vector<const LegendreTable *> &tail() const { return tail_; }

 private:
  void add_tail(int fiber, double wave, double dx, double dy, double *spot) const;

  const Psf &psf_;
  const LegendreTable &sigma_x_;
  const LegendreTable &sigma_y_;
  std::vector<Term> terms_;
  // amplitude, core, x scale, y scale, index; empty where the PSF has no tail anywhere
  std::vector<const LegendreTable *> tail_;
};

}  // namespace specex
