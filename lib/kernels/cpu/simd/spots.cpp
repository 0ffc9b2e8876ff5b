// SPDX-License-Identifier: BSD-3-Clause
//
// Gauss-Hermite spots of 8 bins, by the rule of kernels/shared/gauss_hermite.hpp, for any
// spot size and degree.
//   P_m(k): profiles over pixels;  T_j(x) = sum_i c_ij P_i(x);
//   S(y, x) = sum_j P_j(y) T_j(x)
// costs (dx + 1)(dy + 1) nx + (dy + 1) nx ny multiply-adds instead of (dx + 1)(dy + 1) nx
// ny. Lanes are bins up to the T_j. From there on they are columns, as in a stamp: fewer
// vectors have to change lanes. The columns that 8 do not divide, and tails, stay with
// bins.
//
// All functions that profiles are differences of, but for the error function, are
// H_m = He_m phi, and H_m' = -H_{m+1}. The integral of H_0 over a pixel, which is h
// standard deviations wide, follows from the H_m at both its edges, a and b, by the
// two-point Taylor formula with q = `last_derivative`:
//   sum_{m <= q} w_m h^(m+1) (H_m(b) + (-1)^m H_m(a)),
//   w_m = (q+1)! (2q+1-m)! / ((2q+2)! (q-m)! (m+1)!)
// The error is below (q+1)!^2 / ((2q+2)! (2q+3)!) h^(2q+3) max |H_{2q+2}|, 5e-17 for h as
// large as `widest_pixel`. Wider pixels have the error function itself.
#include "kernels/cpu/simd/functions.hpp"
#include "kernels/cpu/simd/stages.hpp"

namespace specex::SPECEX_ISA {
namespace {

// Of the bins, what is taken at a time where sums have many terms.
using Part = Register<Vector>;
constexpr int part_lanes = lane_count<Part>;

constexpr int max_terms = 41;  // degrees of up to 40
constexpr int last_derivative = 10;
constexpr double widest_pixel = 1.25;  // in standard deviations
constexpr double normal_density = 0.39894228040143267794;

// Of `Terms` or, where that is 0, `terms` Legendre series, `stride` coefficients apart.
template <int Terms, class V>
SPECEX_INLINE void legendre(const double *coefficient, ptrdiff_t stride, int terms, int n,
                            const Basis &basis, ptrdiff_t bin, V *sum) {
  const int count = Terms > 0 ? Terms : terms;
  for (int i = 0; i < count; ++i) sum[i] = V{};
  for (int k = 0; k < n; ++k) {
    const V polynomial = load_as<V>(basis.values + k * basis.stride + bin);
    for (int i = 0; i < count; ++i) sum[i] += coefficient[i * stride + k] * polynomial;
  }
}

SPECEX_INLINE Vector legendre(const double *coefficient, int n, const Basis &basis,
                              ptrdiff_t bin) {
  Vector sum;
  legendre<1>(coefficient, 0, 1, n, basis, bin, &sum);
  return sum;
}

// H_0 at all edges, from the middle pixel's outwards. Where the k-th on a side lies at d
// pixels from the centre, g_k = exp(-d^2 v / 2) and r_k = exp(-(d + 1/2) v) follow from
// g_{k+1} = g_k r_k and r_{k+1} = r_k exp(-v), and from exponentials now and then lest
// errors grow; v = 1 / sigma^2.
void gaussians(Vector offset, Vector inverse, int half, double *density) {
  constexpr int run = 9;
  const Vector v = inverse * inverse;
  const Vector second_ratio = exp_negative(-v);
  const Vector nearest[2] = {0.5 + offset, 0.5 - offset};
  Vector gaussian[2] = {};
  Vector ratio[2] = {};
  double *to[2] = {density + half * lanes, density + (half + 1) * lanes};
  for (int k = 0; k <= half; ++k) {
    for (int side = 0; side < 2; ++side) {
      if (k % run == 0) {
        const Vector d = nearest[side] + static_cast<double>(k);
        gaussian[side] = exp_negative(d * d * v * -0.5) * normal_density;
        ratio[side] = exp_negative((d + 0.5) * -v);
      }
      store(to[side], gaussian[side]);
      gaussian[side] *= ratio[side];
      ratio[side] *= second_ratio;
    }
    to[0] -= lanes;
    to[1] += lanes;
  }
}

// profile[m][k] for degrees m < Terms (or `terms`) and pixels k < 2 half + 1. density:
// H_0 at all edges, where pixels are narrow.
template <int Terms, bool Narrow, class V>
void profiles_of_pixels(V offset, V inverse, int half, int terms, double *profile,
                        const double *density) {
  constexpr int derivatives = Narrow ? last_derivative + 1 : 0;
  const int n = Terms > 0 ? Terms : terms;
  const int npixel = 2 * half + 1;
  V weight[last_derivative + 1] = {};
  if constexpr (Narrow) {
    weight[0] = inverse * 0.5;
    for (int m = 1; m < derivatives; ++m) {
      const double ratio = static_cast<double>(derivatives - m) /
                           ((2 * derivatives - m) * (m + 1));  // w_m / w_{m-1}
      weight[m] = weight[m - 1] * (inverse * ratio);
    }
  }
  const int count = n - 1 > derivatives ? n - 1 : derivatives;
  V before[Terms > 0 ? Terms : max_terms] = {};
  for (int k = 0; k <= npixel; ++k) {
    const V t = ((k - half - 0.5) - offset) * inverse;
    V even{};
    V odd{};
    V lower{};
    V hermite;
    if constexpr (Narrow) {
      hermite = load_as<V>(density + k * lanes);
    } else {
      const V gaussian = exp_negative(t * t * -0.5);
      const V edge = erf_scaled(t, gaussian) * -0.5;
      if (k > 0) store_as(profile + (k - 1) * lanes, before[0] - edge);
      before[0] = edge;
      hermite = gaussian * normal_density;
    }
    for (int m = 0; m < count; ++m) {
      if (m < derivatives) (m % 2 == 0 ? even : odd) += weight[m] * hermite;
      if (m + 1 < n) {
        if (k > 0)
          store_as(profile + ((m + 1) * npixel + k - 1) * lanes, before[m + 1] - hermite);
        before[m + 1] = hermite;
      }
      const V next = t * hermite - static_cast<double>(m) * lower;
      lower = hermite;
      hermite = next;
    }
    if constexpr (Narrow) {
      if (k > 0) store_as(profile + (k - 1) * lanes, before[0] + (even + odd));
      before[0] = even - odd;
    }
  }
}

// A Part at a time.
template <int Terms, class V>
void profiles_of_narrow(const V &offset, const V &inverse, int half, int terms,
                        double *profile, const double *density) {
  if constexpr (is_pair<V>) {
    constexpr int half_lanes = lane_count<V> / 2;
    profiles_of_narrow<Terms>(offset.low, inverse.low, half, terms, profile, density);
    profiles_of_narrow<Terms>(offset.high, inverse.high, half, terms,
                              profile + half_lanes, density + half_lanes);
  } else {
    profiles_of_pixels<Terms, true>(offset, inverse, half, terms, profile, density);
  }
}

template <int Terms>
void profiles(Vector offset, Vector sigma, int half, int terms, double *profile,
              double *density) {
  const Vector inverse = 1.0 / sigma;
  // The middle pixel is next to the centre but for bins that nobody asked for.
  const Integers narrow = (absolute(inverse) <= broadcast(widest_pixel)) &
                          (absolute(offset) <= broadcast(1.0));
  if (all(narrow)) {
    gaussians(offset, inverse, half, density);
    profiles_of_narrow<Terms>(offset, inverse, half, terms, profile, density);
  } else {
    profiles_of_pixels<Terms, false>(offset, inverse, half, terms, profile, density);
  }
}

// sum_i factor[i] P_i of `Count` pixels from one on, whose P_0 is at `profile`
template <int Terms, int Count, class V>
SPECEX_INLINE void combine(const V *factor, int terms, const double *profile,
                           ptrdiff_t stride, V *sum) {
  const int n = Terms > 0 ? Terms : terms;
  for (int k = 0; k < Count; ++k) sum[k] = factor[0] * load_as<V>(profile + k * lanes);
  for (int i = 1; i < n; ++i)
    for (int k = 0; k < Count; ++k)
      sum[k] += factor[i] * load_as<V>(profile + i * stride + k * lanes);
}

constexpr int columns_of(int nx) { return (nx + 2 * width - 2) / width * width; }

// What the steps of a batch hand on.
struct Scratch {
  Scratch(const FiberPsf &psf, double *memory) {
    const int nx = 2 * psf.half_x + 1;
    const int ny = 2 * psf.half_y + 1;
    const int terms_y = psf.degree_y + 1;
    whole = psf.tail == nullptr ? nx / lanes * lanes : 0;
    const auto take = [&](int count) {
      double *own = memory == nullptr ? nullptr : memory + size;
      size += static_cast<size_t>(count) * lanes;
      return own;
    };
    profile_x = take((psf.degree_x + 1) * nx);
    profile_y = take(terms_y * ny);
    density = take((nx > ny ? nx : ny) + 1);
    across = take(terms_y * whole);
    along = take(terms_y * (nx - whole));
    left_over = take(ny * (nx - whole));
    spot = take(1 + ny * columns_of(nx) / lanes);
  }

  int whole = 0;      // columns whose lanes become columns
  double *profile_x;  // [i][nx][8]
  double *profile_y;  // [j][ny][8]
  double *density;    // H_0 at edges, [edge][8]
  double *across;     // T_j of the first `whole` columns, [bin][j][whole]
  double *along;      // T_j of the others, [j][nx - whole][8]
  double *left_over;  // S of the others, [ny][nx - whole][8]
  double *spot;       // 8 zeros, and S of one bin, [ny][columns of a stamp]
  size_t size = 0;
};

// T_j of part_lanes bins, from one on.
template <int Terms>
void form_rows(const FiberPsf &psf, const Basis &basis, ptrdiff_t bin, int lane,
               const Scratch &scratch) {
  const int nx = 2 * psf.half_x + 1;
  const int terms_x = psf.degree_x + 1;
  const int terms_y = psf.degree_y + 1;
  const int ncoef = psf.ncoef;
  const int whole = scratch.whole;
  const ptrdiff_t stride = nx * lanes;
  const ptrdiff_t bin_stride = terms_y * whole;
  const double *coefficient = psf.terms;
  const double *profile = scratch.profile_x + lane;
  double *across = scratch.across + lane * bin_stride;
  double *along = scratch.along + lane;
  for (int j = 0; j < terms_y; ++j, coefficient += ncoef) {
    Part factor[Terms > 0 ? Terms : max_terms];
    legendre<Terms>(coefficient, terms_y * ncoef, terms_x, ncoef, basis, bin + lane,
                    factor);
    for (int c = 0; c < whole; c += part_lanes, across += part_lanes) {
      Part block[part_lanes];
      combine<Terms, part_lanes>(factor, terms_x, profile + c * lanes, stride, block);
      transpose(block);
      for (int k = 0; k < part_lanes; ++k) store_as(across + k * bin_stride, block[k]);
    }
    for (int c = whole; c < nx; ++c, along += lanes) {
      Part element;
      combine<Terms, 1>(factor, terms_x, profile + c * lanes, stride, &element);
      store_as(along, element);
    }
  }
}

// The Lorentzian tail of 8 bins.
struct Tail {
  Vector amplitude;
  Vector core;
  Vector x_scale;
  Vector y_scale;
  Vector index;

  SPECEX_INLINE Vector at(Vector x, Vector y) const {
    const Vector u = x * x_scale;
    const Vector v = y * y_scale;
    const Vector r2 = u * u + v * v;
    return amplitude * r2 * power(core * core + r2, -1.0 - 0.5 * index);
  }
};

// S of the columns from `whole` on, clipped by `clip(S, column, row)`, and their sums.
template <int Terms, class Clip>
Vector form_left_over(const Scratch &scratch, int nx, int ny, int terms_y,
                      const Clip &clip) {
  const int n = Terms > 0 ? Terms : terms_y;
  const int whole = scratch.whole;
  const ptrdiff_t stride = (nx - whole) * lanes;
  const double *profile = scratch.profile_y;
  const double *along = scratch.along;
  double *to = scratch.left_over;
  Vector total{};
  for (int r = 0; r < ny; ++r, profile += lanes) {
    Vector factor[Terms > 0 ? Terms : max_terms];
    for (int j = 0; j < n; ++j) factor[j] = load(profile + j * ny * lanes);
    for (int c = whole; c < nx; ++c, to += lanes) {
      Vector value;
      combine<Terms, 1>(factor, n, along + (c - whole) * lanes, stride, &value);
      value = clip(value, c, r);
      store(to, value);
      total += value;
    }
  }
  return total;
}

// S of 8 * Count columns of one bin, clipped, and the sums over rows. T_j is at
// rows + j * whole, and its factor in row r is profile[(j * ny + r) * lanes].
template <int Terms, int Count>
SPECEX_INLINE Vector form_columns(const double *rows, ptrdiff_t whole, int terms_y,
                                  const double *profile, ptrdiff_t ny, double *spot,
                                  ptrdiff_t spot_row) {
  const int n = Terms > 0 ? Terms : terms_y;
  Vector row[Terms > 0 ? Terms : max_terms][Count];
  for (int j = 0; j < n; ++j)
    for (int c = 0; c < Count; ++c) row[j][c] = load(rows + j * whole + c * lanes);
  Vector total[Count] = {};
  for (ptrdiff_t r = 0; r < ny; ++r, profile += lanes, spot += spot_row) {
    Vector value[Count];
    for (int c = 0; c < Count; ++c) value[c] = profile[0] * row[0][c];
    for (int j = 1; j < n; ++j)
      for (int c = 0; c < Count; ++c) value[c] += profile[j * ny * lanes] * row[j][c];
    for (int c = 0; c < Count; ++c) {
      const Vector positive = maximum(value[c], Vector{});
      store(spot + c * lanes, positive);
      total[c] += positive;
    }
  }
  for (int c = 1; c < Count; ++c) total[0] += total[c];
  return total[0];
}

// Spots one after the other, each divided by its sum on its way into the stamp. totals:
// of the columns that are left over.
template <int Terms>
void fill_stamps(const Scratch &scratch, int nx, int ny, int terms_y, Vector totals,
                 const int *shift, double *const *stamps) {
  const int row = columns_of(nx);
  const int whole = scratch.whole;
  const int columns = nx - whole;
  const double *across = scratch.across;
  store(scratch.spot, Vector{});
  double *spot = scratch.spot + lanes;
  for (int r = 0; r < ny; ++r)
    for (int c = whole; c < row; c += lanes) store(spot + r * row + c, Vector{});
  double left_over[lanes];
  store(left_over, totals);
  for (int lane = 0; lane < lanes; ++lane, across += terms_y * whole) {
    const double *profile = scratch.profile_y + lane;
    Vector sums{};
    int c = 0;
    for (; c + 2 * lanes <= whole; c += 2 * lanes)
      sums +=
          form_columns<Terms, 2>(across + c, whole, terms_y, profile, ny, spot + c, row);
    if (c < whole)
      sums +=
          form_columns<Terms, 1>(across + c, whole, terms_y, profile, ny, spot + c, row);
    const double *value = scratch.left_over + lane;
    for (int r = 0; r < ny; ++r)
      for (int k = 0; k < columns; ++k, value += lanes)
        spot[r * row + whole + k] = *value;

    const double total = left_over[lane] + sum(sums);
    const double *from = spot - shift[lane];
    double *stamp = stamps[lane];
    ptrdiff_t p = 0;
    if (total > 0.0 && total < 1e300) {
      const double inverse = 1.0 / total;
      for (; p < ny * row; p += lanes) store(stamp + p, load(from + p) * inverse);
    }
    for (; p < (ny + 1) * row; p += lanes) store(stamp + p, Vector{});
  }
}

template <int Terms, bool HasTail>
void evaluate(const FiberPsf &psf, const FiberBases &bases, ptrdiff_t bin,
              const int *corner_x, const int *corner_y, const int *shift,
              double *const *stamps, double *memory) {
  const int nx = 2 * psf.half_x + 1;
  const int ny = 2 * psf.half_y + 1;
  const int terms_x = psf.degree_x + 1;
  const int terms_y = psf.degree_y + 1;
  const Scratch scratch(psf, memory);
  double center_x[lanes];
  double center_y[lanes];
  for (int lane = 0; lane < lanes; ++lane) {
    center_x[lane] = corner_x[lane] + psf.half_x;
    center_y[lane] = corner_y[lane] + psf.half_y;
  }
  const Vector offset_x =
      legendre(psf.xtrace, psf.nxtrace, bases.xtrace, bin) - load(center_x);
  const Vector offset_y =
      legendre(psf.ytrace, psf.nytrace, bases.ytrace, bin) - load(center_y);
  const auto parameter = [&](const double *coefficient) {
    return legendre(coefficient, psf.ncoef, bases.shape, bin);
  };
  profiles<Terms>(offset_x, parameter(psf.sigma_x), psf.half_x, terms_x,
                  scratch.profile_x, scratch.density);
  profiles<Terms>(offset_y, parameter(psf.sigma_y), psf.half_y, terms_y,
                  scratch.profile_y, scratch.density);
  for (int lane = 0; lane < lanes; lane += part_lanes)
    form_rows<Terms>(psf, bases.shape, bin, lane, scratch);
  Vector totals;
  if constexpr (HasTail) {
    const auto of_tail = [&](int k) { return parameter(psf.tail + k * psf.ncoef); };
    const Tail tail{of_tail(0), of_tail(1), of_tail(2), of_tail(3), of_tail(4)};
    const auto clip = [&](Vector value, int c, int r) {
      value += tail.at((c - psf.half_x) - offset_x, (r - psf.half_y) - offset_y);
      // A tail may be NaN in one pixel, at its centre: that makes the total NaN.
      return select(value < Vector{}, Vector{}, value);
    };
    totals = form_left_over<Terms>(scratch, nx, ny, terms_y, clip);
  } else {
    const auto clip = [](Vector value, int, int) { return maximum(value, Vector{}); };
    totals = form_left_over<Terms>(scratch, nx, ny, terms_y, clip);
  }
  fill_stamps<Terms>(scratch, nx, ny, terms_y, totals, shift, stamps);
}

void copy_row(const double *from, int count, double *to) {
  int k = 0;
  for (; k + lanes <= count; k += lanes) store(to + k, load(from + k));
  for (; k < count; ++k) to[k] = from[k];
}

}  // namespace

size_t spot_scratch(const FiberPsf &psf) { return Scratch(psf, nullptr).size; }

void evaluate_spots(const FiberPsf &psf, const FiberBases &bases, ptrdiff_t bin,
                    const int *corner_x, const int *corner_y, const int *shift,
                    double *const *stamps, double *scratch) {
  const bool usual = psf.degree_x == 6 && psf.degree_y == 6;  // as DESI's PSF fits have
  const auto chosen = psf.tail == nullptr
                          ? (usual ? evaluate<7, false> : evaluate<0, false>)
                          : (usual ? evaluate<7, true> : evaluate<0, true>);
  chosen(psf, bases, bin, corner_x, corner_y, shift, stamps, scratch);
}

void take_spots(const StampLayout &layout, const double *const *stamps, const int *shift,
                double *spots) {
  for (int bin = 0; bin < lanes; ++bin)
    for (int r = 0; r < layout.ny; ++r, spots += layout.nx)
      copy_row(stamps[bin] + r * layout.row + shift[bin], layout.nx, spots);
}

void place_spots(const StampLayout &layout, const double *spots, const int *shift,
                 double *const *stamps) {
  for (int bin = 0; bin < lanes; ++bin) {
    double *row = stamps[bin];
    for (int r = 0; r < layout.ny; ++r, row += layout.row, spots += layout.nx) {
      store(row, Vector{});
      for (int c = layout.nx / lanes * lanes; c < layout.row; c += lanes)
        store(row + c, Vector{});
      copy_row(spots, layout.nx, row + shift[bin]);
    }
    for (int c = 0; c < layout.row; c += lanes) store(row + c, Vector{});
  }
}

}  // namespace specex::SPECEX_ISA
