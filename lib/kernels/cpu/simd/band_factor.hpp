// SPDX-License-Identifier: BSD-3-Clause
//
// L D L^T of band matrices, 8 problems at a time, with the half band fixed when compiled
// so that a column stays in registers. Half bands between those that exist are served by
// the next larger one, with zero diagonals.
#pragma once

#include "kernels/cpu/simd/algebra.hpp"
#include "kernels/cpu/simd/half_band.hpp"
#include "kernels/cpu/simd/stages.hpp"

namespace specex::SPECEX_ISA {

// A factor is [Band zero columns, then nbin columns, then Band zero columns] of
// [Band + 1][8]: element 0 of column j is 1 / d_j, element m is l(j + m, j). The zeros
// spare the recurrences a test at the ends.
template <int Band>
struct Factor {
  static constexpr int column_size = (Band + 1) * lanes;

  static size_t size(int nbin) {
    return static_cast<size_t>((nbin + 2 * Band) * column_size);
  }
  static void clear_ends(int nbin, double *factor) {
    for (int k = 0; k < Band * column_size; k += lanes) {
      store(factor + k, Vector{});
      store(column(factor, nbin) + k, Vector{});
    }
  }
  static double *column(double *factor, int j) {
    return factor + (j + Band) * column_size;
  }
  static const double *column(const double *factor, int j) {
    return factor + (j + Band) * column_size;
  }
};

// Columns are kept in rings of a power of 2.
template <int Columns>
constexpr int ring_for = Columns <= 8 ? 8 : 2 * ring_for<(Columns + 1) / 2>;

// Loops over narrow bands are unrolled, so that columns stay in registers. Wide ones have
// to wait for memory anyway.
template <int Band>
constexpr bool is_narrow = Band <= 23;

template <bool Unrolled, class Visit>
SPECEX_INLINE void rising(int first, int last, Visit &&visit) {
  if constexpr (Unrolled) {
#pragma GCC unroll 25
    for (int k = first; k <= last; ++k) visit(k);
  } else {
    for (int k = first; k <= last; ++k) visit(k);
  }
}

template <bool Unrolled, class Visit>
SPECEX_INLINE void falling(int first, int last, Visit &&visit) {
  if constexpr (Unrolled) {
#pragma GCC unroll 24
    for (int k = first; k >= last; --k) visit(k);
  } else {
    for (int k = first; k >= last; --k) visit(k);
  }
}

// Computes A = L D L^T, of Count sets of problems at a time: a column waits for the one
// before, which leaves time for another set's. element(set, j, m) is A[j + m][j]. The
// factors' ends are clear. Lanes where a pivot is not positive, in any set, are 0 in the
// result. Calls visit(set, j) when column j is there.
template <int Band, int Count, class Element, class Visit>
SPECEX_INLINE Integers factorise(int nbin, double *const (&factor)[Count],
                                 Element &&element, Visit &&visit) {
  using F = Factor<Band>;
  constexpr int ring = ring_for<Band + 1>;
  Vector pivot[Count][ring] = {};
  // The column before, which is waited for: of narrow bands in registers, and an element
  // times the pivot.
  constexpr bool narrow = is_narrow<Band>;
  [[maybe_unused]] Vector last[Count][narrow ? Band + 1 : 1] = {};
  [[maybe_unused]] Vector last_product[Count] = {};
  Integers good = ~Integers{};
  for (int j = 0; j < nbin; ++j)
#pragma GCC unroll 2
    for (int k = 0; k < Count; ++k) {
      double *to = F::column(factor[k], j);
      Vector a[Band + 1];
      for (int m = 0; m <= Band; ++m) a[m] = element(k, j, m);
      falling<narrow>(Band, narrow ? 2 : 1, [&](int p) {
        const double *earlier = to - p * F::column_size + p * lanes;
        const Vector c = load(earlier) * pivot[k][(j - p) & (ring - 1)];
        rising<narrow>(0, Band - p,
                       [&](int m) { a[m] -= load(earlier + m * lanes) * c; });
      });
      if constexpr (narrow)
        rising<true>(0, Band - 1,
                     [&](int m) { a[m] -= last[k][m + 1] * last_product[k]; });
      good &= a[0] > Vector{};
      const Vector inverse = reciprocal(a[0]);
      store(to, inverse);
      rising<narrow>(1, Band, [&](int m) {
        const Vector l = a[m] * inverse;
        store(to + m * lanes, l);
        if constexpr (narrow) last[k][m] = l;
      });
      last_product[k] = a[1];
      pivot[k][j & (ring - 1)] = a[0];
      visit(k, j);
    }
  return good;
}
template <int Band, int Count, class Element>
SPECEX_INLINE Integers factorise(int nbin, double *const (&factor)[Count],
                                 Element &&element) {
  return factorise<Band, Count>(nbin, factor, element, [](int, int) {});
}

// x := (L D L^T)^-1 x, in place. The bin before is what a bin waits for.
template <int Band>
void solve(const double *factor, int nbin, double *x) {
  using F = Factor<Band>;
  Vector last{};
  for (int j = 0; j < nbin; ++j) {
    const double *column = F::column(factor, j);
    Vector value = load(x + j * lanes);
    const auto subtract = [&](int p) {
      value -= load(column - p * F::column_size + p * lanes) * load(x + (j - p) * lanes);
    };
    if (j >= Band)
      falling<is_narrow<Band>>(Band, 2, subtract);
    else
      falling<false>(j, 2, subtract);
    last = value - load(column - F::column_size + lanes) * last;
    store(x + j * lanes, last);
  }
  last = Vector{};
  for (int j = nbin - 1; j >= 0; --j) {
    const double *column = F::column(factor, j);
    Vector value = load(x + j * lanes) * load(column);
    const auto subtract = [&](int m) {
      value -= load(column + m * lanes) * load(x + (j + m) * lanes);
    };
    if (j + Band < nbin)
      falling<is_narrow<Band>>(Band, 2, subtract);
    else
      falling<false>(nbin - 1 - j, 2, subtract);
    last = value - load(column + lanes) * last;
    store(x + j * lanes, last);
  }
}

// Calls function.template operator()<Band>() for the half band given.
template <class Function>
SPECEX_INLINE auto for_half_band(int half_band, Function &&function) {
  switch (half_band) {
    case 7:
      return function.template operator()<7>();
    case 8:
      return function.template operator()<8>();
    case 9:
      return function.template operator()<9>();
    case 10:
      return function.template operator()<10>();
    case 12:
      return function.template operator()<12>();
    case 15:
      return function.template operator()<15>();
    case 23:
      return function.template operator()<23>();
    case 47:
      return function.template operator()<47>();
    default:
      return function.template operator()<71>();
  }
}

}  // namespace specex::SPECEX_ISA
