// SPDX-License-Identifier: BSD-3-Clause
//
// The scalar rules of the two modes, one copy for every backend. Notation: A is the
// projection (spots as columns), W the pixel weights, d the pixels; N = A^T W A,
// b = A^T W d, g = A^T W 1 (Bolton & Schlegel 2010, eqs. 2-4).
#pragma once

#include <specex/specex.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace specex {

struct Rules {
  bool compat = false;      // gpu_specter's rules instead of the corrected ones
  bool noise = false;       // decorrelate with N^1/2 over all fibres of the patch
  double regularize = 0.0;  // a weight; its square is added to N's diagonal
  double psferr = 0.01;     // relative
};

// A bin is measured only when at least this share of its profile is on usable pixels.
inline constexpr double min_usable_profile = 1e-4;

// Relative to a bin's own diagonal element: far below any noise, enough to make bins
// that see the same few pixels solvable.
inline constexpr double relative_ridge = 1e-12;

// Sums over a patch's pixels for each of its bins.
struct BinSums {
  std::vector<double> data;      // b
  std::vector<double> weight;    // g
  std::vector<double> usable;    // share of the profile on pixels with weight > 0
  std::vector<double> masked;    // share on pixels of the patch with weight 0
  std::vector<double> diagonal;  // of N

  explicit BinSums(size_t n) : data(n), weight(n), usable(n), masked(n), diagonal(n) {}
};

// Decides which bins take part in the solution and replaces sums.diagonal by what the
// solution uses. Bins that take no part are to have no off-diagonal elements and no data.
inline std::vector<bool> condition(const Rules &rules, BinSums &sums) {
  const size_t n = sums.diagonal.size();
  std::vector<bool> measured(n, true);
  const double regularize2 = rules.regularize * rules.regularize;
  if (rules.compat) {
    // gpu_specter adds a pseudo-measurement of weight alpha^2, where alpha itself is a
    // difference of weights, and 1e-15.
    const double low = 1e-4 * *std::max_element(sums.weight.begin(), sums.weight.end());
    for (size_t q = 0; q < n; ++q) {
      const double lack = low - sums.weight[q];
      sums.diagonal[q] += (lack > 0.0 ? lack * lack : regularize2) + 1e-15;
    }
    return measured;
  }
  double largest = 0.0;
  for (size_t q = 0; q < n; ++q) {
    measured[q] = sums.usable[q] >= min_usable_profile && sums.diagonal[q] > 0.0;
    if (measured[q]) largest = std::max(largest, sums.diagonal[q]);
  }
  for (size_t q = 0; q < n; ++q) {
    if (measured[q])
      sums.diagonal[q] += relative_ridge * sums.diagonal[q] + regularize2;
    else
      sums.diagonal[q] = largest > 0.0 ? largest : 1.0;
  }
  return measured;
}

// Mask bits of a bin, without BADFIBER and BAD2DFIT.
inline int32_t bin_mask(const Rules &rules, bool measured, double usable,
                        double pixmask_fraction) {
  const bool all_bad =
      rules.compat ? pixmask_fraction == 1.0 : usable < min_usable_profile;
  int32_t mask = 0;
  if (pixmask_fraction > 0.5) mask |= SPECEX_MASK_SOMEBADPIX;
  if (all_bad) mask |= SPECEX_MASK_ALLBADPIX;
  if (!measured) mask |= SPECEX_MASK_NODATA;
  return mask;
}

}  // namespace specex
