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

#include "base/host_device.hpp"

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

  explicit BinSums(size_t n) { resize(n); }
  void resize(size_t n) {
    for (auto *sum : {&data, &weight, &usable, &masked, &diagonal}) sum->resize(n);
  }
};

// Whether a bin takes part in the solution.
SPECEX_HOST_DEVICE inline bool is_measured(const Rules &rules, double usable,
                                           double diagonal) {
  return rules.compat || (usable >= min_usable_profile && diagonal > 0.0);
}

// A patch's largest of these is what conditioned_diagonal() goes by.
SPECEX_HOST_DEVICE inline double size_for_conditioning(const Rules &rules, double weight,
                                                       double usable, double diagonal) {
  if (rules.compat) return weight;
  return is_measured(rules, usable, diagonal) ? diagonal : 0.0;
}

// The element of N's diagonal that the solution uses.
SPECEX_HOST_DEVICE inline double conditioned_diagonal(const Rules &rules, double weight,
                                                      double usable, double diagonal,
                                                      double largest) {
  const double regularize2 = rules.regularize * rules.regularize;
  if (rules.compat) {
    // gpu_specter adds a pseudo-measurement of weight alpha^2, where alpha itself is a
    // difference of weights, and 1e-15.
    const double lack = 1e-4 * largest - weight;
    return diagonal + ((lack > 0.0 ? lack * lack : regularize2) + 1e-15);
  }
  if (is_measured(rules, usable, diagonal))
    return diagonal + (relative_ridge * diagonal + regularize2);
  return largest > 0.0 ? largest : 1.0;
}

// Decides which bins take part in the solution and replaces sums.diagonal by what the
// solution uses. Bins that take no part are to have no off-diagonal elements and no data.
inline std::vector<bool> condition(const Rules &rules, BinSums &sums) {
  const size_t n = sums.diagonal.size();
  std::vector<bool> measured(n);
  double largest = 0.0;
  for (size_t q = 0; q < n; ++q) {
    measured[q] = is_measured(rules, sums.usable[q], sums.diagonal[q]);
    largest = std::max(largest, size_for_conditioning(rules, sums.weight[q],
                                                      sums.usable[q], sums.diagonal[q]));
  }
  for (size_t q = 0; q < n; ++q)
    sums.diagonal[q] = conditioned_diagonal(rules, sums.weight[q], sums.usable[q],
                                            sums.diagonal[q], largest);
  return measured;
}

// Flux and ivar of a bin from its row of Q: the row's sum, and the row times f.
struct Measurement {
  double flux;  // electrons / Angstrom
  double ivar;
  bool usable;
};

SPECEX_HOST_DEVICE inline Measurement measure(bool has_data, double row_sum,
                                              double smoothed, double wavestep) {
  const double flux = smoothed / (has_data ? row_sum : 1.0) / wavestep;
  const double ivar = row_sum * row_sum * wavestep * wavestep;
  // Without a branch, so that it is done for several bins at a time.
  const bool usable =
      (int{has_data} & int{std::isfinite(flux)} & int{std::isfinite(ivar)}) != 0;
  return {usable ? flux : 0.0, usable ? ivar : 0.0, usable};
}

// What a core bin adds to the model image, electrons a bin: f, or in the compatible mode
// R f, which gpu_specter convolves a second time.
SPECEX_HOST_DEVICE inline double bin_model_flux(const Rules &rules, double flux,
                                                double row_sum, double smoothed) {
  if (!rules.compat) return flux;
  return row_sum != 0.0 ? smoothed / row_sum : 0.0;
}

// And which core bins do: the compatible mode fills the last patch beyond the grid's end,
// as the peer does.
inline int model_bins(const Rules &rules, const specex_patch &patch) {
  return rules.compat ? patch.nbin : patch.nkeep;
}

// Mask bits of a bin, without BADFIBER and BAD2DFIT.
SPECEX_HOST_DEVICE inline int32_t bin_mask(const Rules &rules, bool measured,
                                           double usable, double pixmask_fraction) {
  const bool all_bad =
      rules.compat ? pixmask_fraction == 1.0 : usable < min_usable_profile;
  int32_t mask = 0;
  if (pixmask_fraction > 0.5) mask |= SPECEX_MASK_SOMEBADPIX;
  if (all_bad) mask |= SPECEX_MASK_ALLBADPIX;
  if (!measured) mask |= SPECEX_MASK_NODATA;
  return mask;
}

}  // namespace specex
