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

// Poles wait for themselves from bin to bin, not for each other; of wide bands for
// memory, one at a time.
template <int Band>
constexpr int poles_at_once = is_narrow<Band> ? 2 : 1;

// The last rows of Z, elements j, j + 1, ... of row j; in scratch, because stacks may be
// small.
template <int Band>
struct InverseRows {
  static constexpr int count = ring_for<Band + 1>;
  static constexpr int size = count * (Band + 1) * lanes;

  double *values;

  double *element(int j, int m) const {
    return values + ((j & (count - 1)) * (Band + 1) + m) * lanes;
  }
};

// Doubles that a pole takes: its factor, two solutions with zeros around them, and Z.
template <int Band>
size_t pole_scratch(int nbin) {
  return Factor<Band>::size(nbin) +
         static_cast<size_t>(2 * (nbin + 2 * Band) * lanes + InverseRows<Band>::size);
}

// Count poles: each adds -weight * (S + shift)^-1 applied to 1 and f, and its diagonals,
// of bins from `first` on.
template <int Band, int Count>
void add_poles(int nbin, const double *band, const Vector (&shift)[Count],
               const Vector (&weight)[Count], const double *flux, int first, int nkeep,
               double *row_sum, double *smoothed, double *diagonals, double *scratch) {
  using F = Factor<Band>;
  const double *bands[Count];
  double *factor[Count];
  double *ones[Count];
  double *light[Count];
  InverseRows<Band> z[Count];
  for (int k = 0; k < Count; ++k) {
    bands[k] = band;
    factor[k] = scratch + static_cast<size_t>(k) * pole_scratch<Band>(nbin);
    ones[k] = factor[k] + F::size(nbin) + Band * lanes;
    light[k] = ones[k] + (nbin + 2 * Band) * lanes;
    z[k].values = light[k] + (nbin + Band) * lanes;
    for (int m = 0; m < InverseRows<Band>::size; m += lanes)
      store(z[k].values + m, Vector{});
    for (int p = 1; p <= Band; ++p) {
      store(ones[k] - p * lanes, Vector{});
      store(ones[k] + (nbin - 1 + p) * lanes, Vector{});
      store(light[k] - p * lanes, Vector{});
      store(light[k] + (nbin - 1 + p) * lanes, Vector{});
    }
  }
  // Forward as soon as a column is there, while it is close.
  factorise<Band, Count>(bands, shift, nbin, factor, [&](int k, int j) {
    Vector a = broadcast(1.0);
    Vector b = load(flux + j * lanes);
    const double *column = F::column(factor[k], j);
    falling<is_narrow<Band>>(Band, 1, [&](int p) {
      const Vector l = load(column - p * F::column_size + p * lanes);
      a -= l * load(ones[k] + (j - p) * lanes);
      b -= l * load(light[k] + (j - p) * lanes);
    });
    store(ones[k] + j * lanes, a);
    store(light[k] + j * lanes, b);
  });
  for (int j = nbin - 1; j >= first; --j)
#pragma GCC unroll 2
    for (int k = 0; k < Count; ++k) {
      const double *column = F::column(factor[k], j);
      const Vector inverse = load(column);
      Vector a = load(ones[k] + j * lanes) * inverse;
      Vector b = load(light[k] + j * lanes) * inverse;
      Vector row[Band + 1];
      rising<is_narrow<Band>>(1, Band, [&](int n) { row[n] = Vector{}; });
      falling<is_narrow<Band>>(Band, 1, [&](int m) {
        const Vector l = load(column + m * lanes);
        a -= l * load(ones[k] + (j + m) * lanes);
        b -= l * load(light[k] + (j + m) * lanes);
        rising<is_narrow<Band>>(1, Band, [&](int n) {
          row[n] -=
              l * load(n >= m ? z[k].element(j + m, n - m) : z[k].element(j + n, m - n));
        });
      });
      store(ones[k] + j * lanes, a);
      store(light[k] + j * lanes, b);
      // From the far end: row[1] waits for the row before.
      Vector diagonal = inverse;
      falling<is_narrow<Band>>(
          Band, 1, [&](int m) { diagonal -= load(column + m * lanes) * row[m]; });
      row[0] = diagonal;
      for (int n = 0; n <= Band; ++n) store(z[k].element(j, n), row[n]);
      store(row_sum + j * lanes, load(row_sum + j * lanes) - weight[k] * a);
      store(smoothed + j * lanes, load(smoothed + j * lanes) - weight[k] * b);
      for (int n = 0; n <= nkeep; ++n) {
        double *out = diagonals + (static_cast<ptrdiff_t>(n) * nbin + j) * lanes;
        store(out, load(out) - weight[k] * row[n]);
      }
    }
}

}  // namespace

size_t square_root_scratch(int nbin, int half_band) {
  return for_half_band(half_band, [&]<int Band>() {
    return poles_at_once<Band> * pole_scratch<Band>(nbin);
  });
}

void solve_shifted(int nbin, int half_band, const double *band, const double *shift,
                   double *x, double *scratch) {
  for_half_band(half_band, [&]<int Band>() {
    factorise<Band, 1>({band}, {load(shift)}, nbin, {scratch});
    solve<Band>(scratch, nbin, x);
  });
}

void bound_spectrum(int nbin, int half_band, const double *band, double *upper) {
  const auto element = [&](int w, int m) {
    return absolute(load(band + (ptrdiff_t{w} * (half_band + 1) + m) * lanes));
  };
  Vector largest{};
  for (int w = 0; w < nbin; ++w) {
    Vector sum = element(w, 0);
    for (int m = 1; m <= half_band; ++m) {
      sum += element(w, m);
      if (w >= m) sum += element(w - m, m);
    }
    largest = maximum(largest, sum);
  }
  store(upper, largest);
}

int positive_above(int nbin, int half_band, const double *band, const double *shift,
                   double *scratch) {
  const Integers good = for_half_band(half_band, [&]<int Band>() {
    return factorise<Band, 1>({band}, {-load(shift)}, nbin, {scratch});
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
  Vector total{};
  for (int k = 0; k < poles.count; ++k) total += load(poles.weight + k * lanes);
  total *= root;
  for (int j = first; j < nbin; ++j) {
    store(row_sum + j * lanes, total);
    store(smoothed + j * lanes, total * load(flux + j * lanes));
    for (int n = 0; n <= nkeep; ++n)
      store(diagonals + (static_cast<ptrdiff_t>(n) * nbin + j) * lanes,
            n == 0 ? total : Vector{});
  }
  for_half_band(half_band, [&]<int Band>() {
    const auto shift = [&](int k) { return top * load(poles.shift + k * lanes); };
    const auto weight = [&](int k) {
      return root * shift(k) * load(poles.weight + k * lanes);
    };
    int k = 0;
    if constexpr (poles_at_once<Band> == 2)
      for (; k + 1 < poles.count; k += 2)
        add_poles<Band, 2>(nbin, band, {shift(k), shift(k + 1)},
                           {weight(k), weight(k + 1)}, flux, first, nkeep, row_sum,
                           smoothed, diagonals, scratch);
    for (; k < poles.count; ++k)
      add_poles<Band, 1>(nbin, band, {shift(k)}, {weight(k)}, flux, first, nkeep, row_sum,
                         smoothed, diagonals, scratch);
  });
}

}  // namespace specex::SPECEX_ISA
