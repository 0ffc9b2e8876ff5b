// SPDX-License-Identifier: BSD-3-Clause
//
// The rational approximation behind simd/square_root: for x in [1 / kappa, 1],
//   sqrt(x) ~ sum_k weight_k x / (x + shift_k)
// with a relative error of at most root_tolerance (Hale, Higham & Trefethen 2008, SIAM J.
// Numer. Anal. 46, 2505, method 3; the one-sided error is balanced).
#pragma once

#include <vector>

namespace specex {

inline constexpr double root_tolerance = 5e-10;

struct RationalRoot {
  double kappa;
  std::vector<double> shift;
  std::vector<double> weight;
};

// Approximations for condition numbers of rising size, made once. Their last covers what
// double precision can tell apart.
const std::vector<RationalRoot> &rational_roots();

}  // namespace specex
