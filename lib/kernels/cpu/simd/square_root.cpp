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

// The last rows of Z, elements j, j + 1, ... of row j; in scratch, because stacks may be
// small, and not in place of the factor's columns, to leave these unwritten.
template <int Band>
struct InverseRows {
  static constexpr int count = ring_for<Band + 1>;
  static constexpr int size = count * Factor<Band>::column_size;

  double *values;

  double *row(int j) const {
    return values + (j & (count - 1)) * Factor<Band>::column_size;
  }
};

// Elements of a band matrix, with shift * I added.
template <int Band>
struct Shifted {
  const double *band;
  Vector shift;

  SPECEX_INLINE Vector operator()(int, int j, int m) const {
    const Vector a =
        load(band + static_cast<ptrdiff_t>(j) * Factor<Band>::column_size + m * lanes);
    return m == 0 ? a + shift : a;
  }
};

// To which each pole adds -weight * (S + shift)^-1 applied to 1 and f, and its diagonals.
struct Sums {
  double *row_sum;
  double *smoothed;
  double *diagonals;  // [nkeep + 1][nbin][8]
  int nkeep;
};

// A pole: the factor of S + shift, two solutions with zeros around them, and Z.
template <int Band>
class Pole {
  using F = Factor<Band>;

 public:
  static size_t size(int nbin) {
    return F::size(nbin) +
           static_cast<size_t>(2 * (nbin + 2 * Band) * lanes + InverseRows<Band>::size);
  }
  Pole(int nbin, double *scratch)
      : nbin_(nbin),
        factor_(scratch),
        ones_(factor_ + F::size(nbin) + Band * lanes),
        light_(ones_ + (nbin + 2 * Band) * lanes),
        z_{light_ + (nbin + Band) * lanes} {
    F::clear_ends(nbin, factor_);
    for (int p = 1; p <= Band; ++p)
      for (int j = -p; j < nbin + p; j += nbin - 1 + 2 * p) {
        store(ones_ + j * lanes, Vector{});
        store(light_ + j * lanes, Vector{});
      }
    for (int k = 0; k < InverseRows<Band>::size; k += lanes)
      store(z_.values + k, Vector{});
  }

  // Factorises, and solves for 1 and f down to the pivots: each column while it is close.
  void forward(const double *band, Vector shift, const double *flux) {
    factorise<Band, 1>(nbin_, {factor_}, Shifted<Band>{band, shift}, [&](int, int j) {
      Vector a = broadcast(1.0);
      Vector b = load(flux + j * lanes);
      const double *column = F::column(factor_, j);
      falling<is_narrow<Band>>(Band, 1, [&](int p) {
        const Vector l = load(column - p * F::column_size + p * lanes);
        a -= l * load(ones_ + (j - p) * lanes);
        b -= l * load(light_ + (j - p) * lanes);
      });
      store(ones_ + j * lanes, a);
      store(light_ + j * lanes, b);
    });
  }

  // Bin j of the solutions and of Z, after those beyond, and what they add to the sums.
  void backward(int j, Vector weight, const Sums &sums) {
    const double *column = F::column(factor_, j);
    const Vector inverse = load(column);
    Vector a = load(ones_ + j * lanes) * inverse;
    Vector b = load(light_ + j * lanes) * inverse;
    Vector l[Band + 1];
    Vector row[Band + 1];
    falling<is_narrow<Band>>(Band, 1, [&](int m) {
      l[m] = load(column + m * lanes);
      a -= l[m] * load(ones_ + (j + m) * lanes);
      b -= l[m] * load(light_ + (j + m) * lanes);
      row[m] = Vector{};
    });
    store(ones_ + j * lanes, a);
    store(light_ + j * lanes, b);
    // From the far end: row[1] waits for the row before, and for its diagonal element.
    falling<is_narrow<Band>>(Band, 1, [&](int m) {
      const double *other = z_.row(j + m);
      falling<is_narrow<Band>>(Band, m + 1, [&](int n) {
        const Vector element = load_once(other + (n - m) * lanes);
        row[n] -= l[m] * element;
        row[m] -= l[n] * element;
      });
      row[m] -= l[m] * load(other);
    });
    row[0] = inverse;
    falling<is_narrow<Band>>(Band, 1, [&](int m) { row[0] -= l[m] * row[m]; });
    double *own = z_.row(j);
    rising<is_narrow<Band>>(0, Band, [&](int n) { store(own + n * lanes, row[n]); });
    const auto add = [&](double *sum, const Vector &value) {
      store(sum, load(sum) - weight * value);
    };
    add(sums.row_sum + j * lanes, a);
    add(sums.smoothed + j * lanes, b);
    double *diagonal = sums.diagonals + j * lanes;
    rising<is_narrow<Band>>(0, Band, [&](int n) {
      if (n > sums.nkeep) return;
      add(diagonal, row[n]);
      diagonal += nbin_ * lanes;
    });
  }

 private:
  int nbin_;
  double *factor_;
  double *ones_;
  double *light_;
  InverseRows<Band> z_;
};

}  // namespace

size_t square_root_scratch(int nbin, int half_band) {
  return for_half_band(half_band, [&]<int Band>() { return Pole<Band>::size(nbin); });
}

void solve_shifted(int nbin, int half_band, const double *band, const double *shift,
                   double *x, double *scratch) {
  for_half_band(half_band, [&]<int Band>() {
    Factor<Band>::clear_ends(nbin, scratch);
    factorise<Band, 1>(nbin, {scratch}, Shifted<Band>{band, load(shift)});
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
  return for_half_band(half_band, [&]<int Band>() {
    Factor<Band>::clear_ends(nbin, scratch);
    return bits(factorise<Band, 1>(nbin, {scratch}, Shifted<Band>{band, -load(shift)}));
  });
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
  const Sums sums{row_sum, smoothed, diagonals, nkeep};
  for_half_band(half_band, [&]<int Band>() {
    Pole<Band> pole(nbin, scratch);
    for (int k = 0; k < poles.count; ++k) {
      const Vector shift = top * load(poles.shift + k * lanes);
      const Vector weight = root * shift * load(poles.weight + k * lanes);
      pole.forward(band, shift, flux);
      for (int j = nbin - 1; j >= first; --j) pole.backward(j, weight, sums);
    }
  });
}

}  // namespace specex::SPECEX_ISA
