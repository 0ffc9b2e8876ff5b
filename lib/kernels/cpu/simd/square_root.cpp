// SPDX-License-Identifier: BSD-3-Clause
//
// The square root of a band matrix by partial fractions (Hale, Higham & Trefethen 2008,
// SIAM J. Numer. Anal. 46, 2505, method 3),
//   S^1/2 ~ sum_k w_k S (S + a_k)^-1 = sum_k w_k (1 - a_k (S + a_k)^-1),
// 8 problems at a time. Of Q = S^1/2 only row sums, Q f and a few diagonals are needed
// (Bolton & Schlegel 2010, eqs. 10-13): two right-hand sides and, for the diagonals of
// (S + a)^-1 = Z, Takahashi's backward recurrence within the band,
//   Z_jk = [j = k] / d_j - sum_m l(j + m, j) Z_{j + m, k}.
#include "kernels/cpu/simd/band_factor.hpp"

namespace specex::SPECEX_ISA {
namespace {

// One pole: adds -weight * (S + shift)^-1 applied to 1 and f, and its diagonals, of bins
// from `first` on.
template <int Band>
void add_pole(int nbin, const double *band, Vector shift, Vector weight,
              const double *flux, int first, int nkeep, double *row_sum, double *smoothed,
              double *diagonals, double *scratch) {
  using F = Factor<Band>;
  double *factor = scratch;
  double *ones =
      factor + F::size(nbin) + Band * lanes;  // solutions, with zeros around them
  double *light = ones + (nbin + 2 * Band) * lanes;
  factorise<Band>(band, shift, nbin, factor);
  for (int p = 1; p <= Band; ++p) {
    store(ones - p * lanes, Vector{});
    store(ones + (nbin - 1 + p) * lanes, Vector{});
    store(light - p * lanes, Vector{});
    store(light + (nbin - 1 + p) * lanes, Vector{});
  }
  for (int j = 0; j < nbin; ++j) {
    Vector a = broadcast(1.0);
    Vector b = load(flux + j * lanes);
    const double *column = F::column(factor, j);
#pragma GCC unroll 16
    for (int p = Band; p >= 1; --p) {
      const Vector l = load(column - p * F::column_size + p * lanes);
      a -= l * load(ones + (j - p) * lanes);
      b -= l * load(light + (j - p) * lanes);
    }
    store(ones + j * lanes, a);
    store(light + j * lanes, b);
  }
  constexpr int ring = 16;
  Vector z[ring][Band + 1] = {};  // row j of Z: elements j, j + 1, ...
  for (int j = nbin - 1; j >= first; --j) {
    const double *column = F::column(factor, j);
    const Vector inverse = load(column);
    Vector a = load(ones + j * lanes) * inverse;
    Vector b = load(light + j * lanes) * inverse;
    Vector row[Band + 1];
#pragma GCC unroll 16
    for (int n = 1; n <= Band; ++n) row[n] = Vector{};
#pragma GCC unroll 16
    for (int m = Band; m >= 1; --m) {
      const Vector l = load(column + m * lanes);
      a -= l * load(ones + (j + m) * lanes);
      b -= l * load(light + (j + m) * lanes);
      const Vector(&later)[Band + 1] = z[(j + m) & (ring - 1)];
#pragma GCC unroll 16
      for (int n = 1; n <= Band; ++n)
        row[n] -= l * (n >= m ? later[n - m] : z[(j + n) & (ring - 1)][m - n]);
    }
    store(ones + j * lanes, a);
    store(light + j * lanes, b);
    Vector diagonal = inverse;
#pragma GCC unroll 16
    for (int m = 1; m <= Band; ++m) diagonal -= load(column + m * lanes) * row[m];
    row[0] = diagonal;
    for (int n = 0; n <= Band; ++n) z[j & (ring - 1)][n] = row[n];
    store(row_sum + j * lanes, load(row_sum + j * lanes) - weight * a);
    store(smoothed + j * lanes, load(smoothed + j * lanes) - weight * b);
    double *out = diagonals + static_cast<ptrdiff_t>(j) * (nkeep + 1) * lanes;
    for (int n = 0; n <= nkeep; ++n)
      store(out + n * lanes, load(out + n * lanes) - weight * row[n]);
  }
}

}  // namespace

size_t square_root_scratch(int nbin, int half_band) {
  return for_half_band(half_band, [&]<int Band>() {
    return Factor<Band>::size(nbin) + static_cast<size_t>(2 * (nbin + 3 * Band) * lanes);
  });
}

void solve_shifted(int nbin, int half_band, const double *band, const double *shift,
                   double *x, double *scratch) {
  for_half_band(half_band, [&]<int Band>() {
    factorise<Band>(band, load(shift), nbin, scratch);
    solve<Band>(scratch, nbin, x);
  });
}

int positive_above(int nbin, int half_band, const double *band, const double *shift,
                   double *scratch) {
  const Integers good = for_half_band(half_band, [&]<int Band>() {
    return factorise<Band>(band, -load(shift), nbin, scratch);
  });
  int result = 0;
  for (int lane = 0; lane < lanes; ++lane)
    if (good[lane] != 0) result |= 1 << lane;
  return result;
}

void square_root(int nbin, int half_band, const double *band, const double *upper,
                 const Poles &poles, const double *flux, int first, int nkeep,
                 double *row_sum, double *smoothed, double *diagonals, double *scratch) {
  const Vector top = load(upper);
  double roots[lanes];
  for (int lane = 0; lane < lanes; ++lane) roots[lane] = __builtin_sqrt(upper[lane]);
  const Vector root = load(roots);
  double total = 0.0;
  for (int k = 0; k < poles.count; ++k) total += poles.weight[k];
  for (int j = first; j < nbin; ++j) {
    store(row_sum + j * lanes, root * total);
    store(smoothed + j * lanes, root * total * load(flux + j * lanes));
    double *out = diagonals + static_cast<ptrdiff_t>(j) * (nkeep + 1) * lanes;
    for (int n = 0; n <= nkeep; ++n)
      store(out + n * lanes, n == 0 ? root * total : Vector{});
  }
  for_half_band(half_band, [&]<int Band>() {
    for (int k = 0; k < poles.count; ++k)
      add_pole<Band>(nbin, band, top * poles.shift[k],
                     root * top * (poles.weight[k] * poles.shift[k]), flux, first, nkeep,
                     row_sum, smoothed, diagonals, scratch);
  });
}

}  // namespace specex::SPECEX_ISA
