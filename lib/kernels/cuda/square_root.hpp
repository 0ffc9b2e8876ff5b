// SPDX-License-Identifier: BSD-3-Clause
//
// Q = S^1/2 of each core fibre by partial fractions, as kernels/cpu/simd/square_root.cpp
// has it (Hale, Higham & Trefethen 2008, SIAM J. Numer. Anal. 46, 2505, method 3):
//   S^1/2 ~ sum_k w_k (1 - a_k (S + a_k)^-1).
// Row sums and Q f take two right-hand sides; diagonals of (S + a)^-1 = Z Takahashi's
// backward recurrence within the band. One thread a fibre.
#pragma once

#include <cmath>

#include "kernels/cuda/band_factor.hpp"

namespace specex::gpu {

// kernels/shared/rational_root.hpp, one after the other.
struct RootTable {
  int count;
  const double *kappa;   // [count]
  const int32_t *first;  // [count + 1] pole
  const double *shift;   // [pole]
  const double *weight;
};

// Gershgorin's bound of the spectrum from above, and the first root whose interval is
// certified, by a factorisation of S - upper / kappa, to hold it from below.
template <int Band>
struct ChooseRoots {
  Group group;
  RootTable roots;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int64_t p = group.core_problem(i);
    double upper = 0.0;
    for (int w = 0; w < group.nbin; ++w) {
      double sum = 0.0;
      for (int m = 0; m <= Band; ++m) {
        sum += std::fabs(group.reduced[group.band_at(w, m, p)]);
        if (m > 0 && w >= m) sum += std::fabs(group.reduced[group.band_at(w - m, m, p)]);
      }
      if (!(sum <= upper)) upper = sum;
    }
    group.upper[p] = upper;
    int chosen = 0;
    while (chosen < roots.count && roots.kappa[chosen] <= max_kappa &&
           !factorise<Band>(group, group.reduced, -upper / roots.kappa[chosen], p,
                            group.factor2))
      ++chosen;
    if (chosen == roots.count || !(roots.kappa[chosen] <= max_kappa)) {
      group.mark(p, verdict_condition);
      chosen = 0;
    }
    group.root[p] = chosen;
  }
};

template <int Band>
struct TakeRoots {
  Group group;
  RootTable roots;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int64_t p = group.core_problem(i);
    const DeviceWindow &window = group.windows[group.window_of(p)];
    const int first = group.first_row(window);
    const double upper = group.upper[p];
    const double scale = std::sqrt(upper);
    const int begin = roots.first[group.root[p]];
    const int end = roots.first[group.root[p] + 1];
    double total = 0.0;
    for (int k = begin; k < end; ++k) total += roots.weight[k];
    for (int w = first; w < group.nbin; ++w) {
      group.row_sum[group.at(w, p)] = scale * total;
      group.smoothed[group.at(w, p)] = scale * total * group.flux[group.at(w, p)];
      for (int m = 0; m <= group.nkeep; ++m)
        group.diagonals[group.diagonal_at(w, m, p)] = m == 0 ? scale * total : 0.0;
    }
    for (int k = begin; k < end; ++k) {
      factorise<Band>(group, group.reduced, upper * roots.shift[k], p, group.factor2);
      if (k == begin && (window.cut_low != 0 || window.cut_high != 0))
        check_cut(window, p, scale * roots.weight[k]);
      add_pole(first, p, scale * upper * roots.weight[k] * roots.shift[k]);
    }
  }

 private:
  // What a cut changes in the core, in standard deviations: as if the flux of the bins
  // beyond it were that of the bins before it, and all of their light fell across. An
  // error r in the normal equations is one of S^-1/2 r in Q f; the pole closest to the
  // spectrum, whose factor is at hand, is what reaches farthest of S^-1/2 = sum_k w_k (S
  // + a_k)^-1.
  SPECEX_HOST_DEVICE void check_cut(const DeviceWindow &window, int64_t p,
                                    double scale) const {
    constexpr int reach = 8;  // bins whose light may cross the cut, about
    for (int w = 0; w < group.nbin; ++w) {
      const bool across = (window.cut_low != 0 && w < reach) ||
                          (window.cut_high != 0 && w >= group.nbin - reach);
      group.work[group.at(w, p)] = across
                                       ? scale * group.reduced[group.band_at(w, 0, p)] *
                                             std::fabs(group.flux[group.at(w, p)])
                                       : 0.0;
    }
    solve_lower<Band>(group, group.factor2, p, group.work);
    bool unnoticed = true;
    solve_upper<Band>(group, group.factor2, p, group.work, [&](int w, double effect) {
      if (w >= window.core_bin && w < window.core_bin + window.ncore_bin &&
          !(std::fabs(effect) <= max_cut_effect))
        unnoticed = false;
    });
    if (!unnoticed) group.mark(p, verdict_cut);
  }

  // Adds -weight * (S + shift)^-1, whose factor is in factor2, applied to 1 and f, and
  // its diagonals.
  SPECEX_HOST_DEVICE void add_pole(int first, int64_t p, double weight) const {
    double *ones = group.effect;
    double *light = group.work;
    for (int w = 0; w < group.nbin; ++w) {
      ones[group.at(w, p)] = 1.0;
      light[group.at(w, p)] = group.flux[group.at(w, p)];
    }
    solve_lower<Band>(group, group.factor2, p, ones);
    solve_lower<Band>(group, group.factor2, p, light);
    constexpr int ring = 16;
    static_assert(Band < ring);
    double z[ring][Band + 1];  // row j of Z: elements j, j + 1, ...
    for (int r = 0; r < ring; ++r)
      for (int n = 0; n <= Band; ++n) z[r][n] = 0.0;
    double one_after[Band + 1];
    double light_after[Band + 1];
    for (int m = 0; m <= Band; ++m) one_after[m] = light_after[m] = 0.0;
    for (int j = group.nbin - 1; j >= first; --j) {
      const double inverse = group.factor2[group.band_at(j, 0, p)];
      double a = ones[group.at(j, p)] * inverse;
      double b = light[group.at(j, p)] * inverse;
      double row[Band + 1];
      for (int n = 0; n <= Band; ++n) row[n] = 0.0;
      double diagonal = inverse;
      SPECEX_UNROLL
      for (int m = Band; m >= 1; --m) {
        const double l = group.factor2[group.band_at(j, m, p)];
        a -= l * one_after[m];
        b -= l * light_after[m];
        const double(&later)[Band + 1] = z[(j + m) & (ring - 1)];
        SPECEX_UNROLL
        for (int n = 1; n <= Band; ++n)
          row[n] -= l * (n >= m ? later[n - m] : z[(j + n) & (ring - 1)][m - n]);
      }
      for (int m = 1; m <= Band; ++m)
        diagonal -= group.factor2[group.band_at(j, m, p)] * row[m];
      row[0] = diagonal;
      for (int n = 0; n <= Band; ++n) z[j & (ring - 1)][n] = row[n];
      group.row_sum[group.at(j, p)] -= weight * a;
      group.smoothed[group.at(j, p)] -= weight * b;
      for (int n = 0; n <= group.nkeep; ++n)
        group.diagonals[group.diagonal_at(j, n, p)] -= weight * row[n];
      for (int m = Band; m >= 2; --m) {
        one_after[m] = one_after[m - 1];
        light_after[m] = light_after[m - 1];
      }
      one_after[1] = a;
      light_after[1] = b;
    }
  }
};

}  // namespace specex::gpu
