// SPDX-License-Identifier: BSD-3-Clause
//
// L D L^T of band matrices, 8 problems at a time, with the half band fixed when compiled
// so that a column stays in registers. Half bands between those that exist are served by
// the next larger one, with zero diagonals.
#pragma once

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
  static double *column(double *factor, int j) {
    return factor + (j + Band) * column_size;
  }
  static const double *column(const double *factor, int j) {
    return factor + (j + Band) * column_size;
  }
};

// Columns are kept in rings of a power of 2.
template <int Columns>
constexpr int ring_for = Columns <= 16 ? 16 : 2 * ring_for<(Columns + 1) / 2>;

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

// Computes A + shift I = L D L^T, of Count sets of problems at a time: a column waits for
// the one before, which leaves time for another set's. Lanes where a pivot is not
// positive, in any set, are 0 in the result. Calls visit(set, j) when column j is there.
template <int Band, int Count, class Visit>
Integers factorise(const double *const (&band)[Count], const Vector (&shift)[Count],
                   int nbin, double *const (&factor)[Count], Visit &&visit) {
  using F = Factor<Band>;
  constexpr int ring = ring_for<Band + 1>;
  Vector pivot[Count][ring] = {};
  for (double *each : factor)
    for (int j = 1; j <= Band; ++j)
      for (int m = 0; m <= Band; ++m) {
        store(F::column(each, -j) + m * lanes, Vector{});
        store(F::column(each, nbin - 1 + j) + m * lanes, Vector{});
      }
  Integers good = ~Integers{};
  for (int j = 0; j < nbin; ++j)
#pragma GCC unroll 2
    for (int k = 0; k < Count; ++k) {
      const double *from = band[k] + static_cast<ptrdiff_t>(j) * F::column_size;
      double *to = F::column(factor[k], j);
      Vector a[Band + 1];
      for (int m = 0; m <= Band; ++m) a[m] = load(from + m * lanes);
      a[0] += shift[k];
      falling<is_narrow<Band>>(Band, 1, [&](int p) {
        const double *earlier = to - p * F::column_size + p * lanes;
        const Vector c = load(earlier) * pivot[k][(j - p) & (ring - 1)];
        rising<is_narrow<Band>>(0, Band - p,
                                [&](int m) { a[m] -= load(earlier + m * lanes) * c; });
      });
      good &= a[0] > Vector{};
      const Vector inverse = 1.0 / a[0];
      store(to, inverse);
      for (int m = 1; m <= Band; ++m) store(to + m * lanes, a[m] * inverse);
      pivot[k][j & (ring - 1)] = a[0];
      visit(k, j);
    }
  return good;
}
template <int Band, int Count>
Integers factorise(const double *const (&band)[Count], const Vector (&shift)[Count],
                   int nbin, double *const (&factor)[Count]) {
  return factorise<Band, Count>(band, shift, nbin, factor, [](int, int) {});
}

// x := (L D L^T)^-1 x, in place.
template <int Band>
void solve(const double *factor, int nbin, double *x) {
  using F = Factor<Band>;
  for (int j = 0; j < nbin; ++j) {
    Vector value = load(x + j * lanes);
    for (int p = j < Band ? j : Band; p >= 1; --p)
      value -= load(F::column(factor, j - p) + p * lanes) * load(x + (j - p) * lanes);
    store(x + j * lanes, value);
  }
  for (int j = nbin - 1; j >= 0; --j) {
    const double *column = F::column(factor, j);
    Vector value = load(x + j * lanes) * load(column);
    for (int m = nbin - 1 - j < Band ? nbin - 1 - j : Band; m >= 1; --m)
      value -= load(column + m * lanes) * load(x + (j + m) * lanes);
    store(x + j * lanes, value);
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
