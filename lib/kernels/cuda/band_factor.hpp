// SPDX-License-Identifier: BSD-3-Clause
//
// L D L^T of the band matrices of a group, one thread a problem.
#pragma once

#include "kernels/cuda/window_group.hpp"

namespace specex::gpu {

// A + shift I = L D L^T of problem p. Of a factor, element 0 of column j is 1 / d_j and
// element m is l(j + m, j). Returns whether every pivot is positive.
template <int Band>
SPECEX_HOST_DEVICE bool factorise(const Group &group, const double *band, double shift,
                                  int64_t p, double *factor) {
  double pivot[Band + 1];  // of the column so many before
  for (int k = 0; k <= Band; ++k) pivot[k] = 0.0;
  bool positive = true;
  for (int j = 0; j < group.nbin; ++j) {
    double a[Band + 1];
    for (int m = 0; m <= Band; ++m) a[m] = band[group.band_at(j, m, p)];
    a[0] += shift;
    SPECEX_UNROLL
    for (int k = Band; k >= 1; --k) {
      if (k > j) continue;
      const double c = factor[group.band_at(j - k, k, p)] * pivot[k];
      SPECEX_UNROLL
      for (int m = 0; m <= Band - k; ++m)
        a[m] -= factor[group.band_at(j - k, m + k, p)] * c;
    }
    positive = positive && a[0] > 0.0;
    const double inverse = 1.0 / a[0];
    factor[group.band_at(j, 0, p)] = inverse;
    for (int m = 1; m <= Band; ++m) factor[group.band_at(j, m, p)] = a[m] * inverse;
    for (int k = Band; k >= 2; --k) pivot[k] = pivot[k - 1];
    pivot[1] = a[0];
  }
  return positive;
}

// x := L^-1 x of problem p; x is a vector of the group.
template <int Band>
SPECEX_HOST_DEVICE void solve_lower(const Group &group, const double *factor, int64_t p,
                                    double *x) {
  double before[Band + 1];
  for (int k = 0; k <= Band; ++k) before[k] = 0.0;
  for (int j = 0; j < group.nbin; ++j) {
    double value = x[group.at(j, p)];
    for (int k = Band; k >= 1; --k)
      if (k <= j) value -= factor[group.band_at(j - k, k, p)] * before[k];
    x[group.at(j, p)] = value;
    for (int k = Band; k >= 2; --k) before[k] = before[k - 1];
    before[1] = value;
  }
}

// x := (L^T)^-1 D^-1 x of problem p. Calls visit(j, x_j) for falling j.
template <int Band, class Visit>
SPECEX_HOST_DEVICE void solve_upper(const Group &group, const double *factor, int64_t p,
                                    const double *x, Visit &&visit) {
  double after[Band + 1];
  for (int k = 0; k <= Band; ++k) after[k] = 0.0;
  for (int j = group.nbin - 1; j >= 0; --j) {
    double value = x[group.at(j, p)] * factor[group.band_at(j, 0, p)];
    for (int m = Band; m >= 1; --m) value -= factor[group.band_at(j, m, p)] * after[m];
    visit(j, value);
    for (int k = Band; k >= 2; --k) after[k] = after[k - 1];
    after[1] = value;
  }
}

template <int Band>
struct Factorise {
  Group group;
  const double *band;
  double *factor;

  SPECEX_HOST_DEVICE void operator()(int64_t p) const {
    if (!factorise<Band>(group, band, 0.0, p, factor)) group.mark(p, verdict_indefinite);
  }
};

}  // namespace specex::gpu
