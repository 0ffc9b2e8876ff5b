// SPDX-License-Identifier: BSD-3-Clause
//
// Gauss-Hermite spots of 8 bins at a time: lanes are bins, so every step is the scalar
// rule of kernels/shared/gauss_hermite.hpp and any spot size and degree is taken.
//   P_m(k): profiles over pixels;  T_j(x) = sum_i c_ij P_i(x);  S(y, x) = sum_j P_j(y)
//   T_j(x)
// costs (dx + 1)(dy + 1) nx + (dy + 1) nx ny multiply-adds instead of (dx + 1)(dy + 1) nx
// ny.
#include "kernels/cpu/simd/functions.hpp"
#include "kernels/cpu/simd/stages.hpp"

namespace specex::SPECEX_ISA {
namespace {

constexpr int max_terms = 41;  // degrees of up to 40

Vector legendre(const double *coefficient, int n, const Basis &basis, ptrdiff_t bin) {
  Vector sum{};
  for (int k = 0; k < n; ++k)
    sum += coefficient[k] * load(basis.values + k * basis.stride + bin);
  return sum;
}

// profile[m][k] for degrees m < Terms (or `terms`) and pixels k < 2 half + 1.
template <int Terms>
void profiles(Vector offset, Vector sigma, int half, int terms, double *profile) {
  const int n = Terms > 0 ? Terms : terms;
  const int npixel = 2 * half + 1;
  const Vector inverse = 1.0 / sigma;
  Vector before[Terms > 0 ? Terms : max_terms] = {};
  for (int k = 0; k <= npixel; ++k) {
    const Vector t = ((k - half - 0.5) - offset) * inverse;
    const Vector gaussian = exp_negative(t * t * -0.5);
    Vector edge = erf_scaled(t, gaussian) * -0.5;
    Vector lower{};
    Vector hermite = gaussian * 0.39894228040143267794;
    for (int m = 0; m < n; ++m) {
      if (k > 0) store(profile + (m * npixel + k - 1) * lanes, before[m] - edge);
      before[m] = edge;
      edge = hermite;
      const Vector next = t * hermite - static_cast<double>(m) * lower;
      lower = hermite;
      hermite = next;
    }
  }
}

// sum_d factor[d] * row[d][k], d < Terms; rows have `count` elements
template <int Terms>
SPECEX_INLINE Vector combine(const Vector *factor, int terms, const double *row,
                             int count, int k) {
  const int n = Terms > 0 ? Terms : terms;
  Vector sum = factor[0] * load(row + k * lanes);
  for (int d = 1; d < n; ++d) sum += factor[d] * load(row + (d * count + k) * lanes);
  return sum;
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

template <int Terms, bool HasTail>
void evaluate(const FiberPsf &psf, const FiberBases &bases, ptrdiff_t bin,
              const int *corner_x, const int *corner_y, double *spots, double *scratch) {
  const int nx = 2 * psf.half_x + 1;
  const int ny = 2 * psf.half_y + 1;
  const int terms_x = psf.degree_x + 1;
  const int terms_y = psf.degree_y + 1;
  const Vector x = legendre(psf.xtrace, psf.nxtrace, bases.xtrace, bin);
  const Vector y = legendre(psf.ytrace, psf.nytrace, bases.ytrace, bin);
  double center_x[lanes];
  double center_y[lanes];
  for (int lane = 0; lane < lanes; ++lane) {
    center_x[lane] = corner_x[lane] + psf.half_x;
    center_y[lane] = corner_y[lane] + psf.half_y;
  }
  double *profile_x = scratch;
  double *profile_y = profile_x + terms_x * nx * lanes;
  double *rows = profile_y + terms_y * ny * lanes;  // T_j
  const Vector offset_x = x - load(center_x);
  const Vector offset_y = y - load(center_y);
  profiles<Terms>(offset_x, legendre(psf.sigma_x, psf.ncoef, bases.shape, bin),
                  psf.half_x, terms_x, profile_x);
  profiles<Terms>(offset_y, legendre(psf.sigma_y, psf.ncoef, bases.shape, bin),
                  psf.half_y, terms_y, profile_y);
  Vector factor[Terms > 0 ? Terms : max_terms];
  for (int j = 0; j < terms_y; ++j) {
    for (int i = 0; i < terms_x; ++i)
      factor[i] = legendre(psf.terms + (i * terms_y + j) * psf.ncoef, psf.ncoef,
                           bases.shape, bin);
    for (int k = 0; k < nx; ++k)
      store(rows + (j * nx + k) * lanes,
            combine<Terms>(factor, terms_x, profile_x, nx, k));
  }
  Tail tail{};
  if constexpr (HasTail) {
    const auto parameter = [&](int k) {
      return legendre(psf.tail + k * psf.ncoef, psf.ncoef, bases.shape, bin);
    };
    tail = {parameter(0), parameter(1), parameter(2), parameter(3), parameter(4)};
  }
  Vector total{};
  for (int r = 0; r < ny; ++r) {
    for (int j = 0; j < terms_y; ++j) factor[j] = load(profile_y + (j * ny + r) * lanes);
    for (int k = 0; k < nx; ++k) {
      Vector positive = combine<Terms>(factor, terms_y, rows, nx, k);
      if constexpr (HasTail) {
        positive += tail.at((k - psf.half_x) - offset_x, (r - psf.half_y) - offset_y);
        // A tail may be NaN in one pixel, at its centre: that makes the total NaN.
        positive = select(positive < Vector{}, Vector{}, positive);
      } else {
        positive = maximum(positive, Vector{});
      }
      store(spots + (r * nx + k) * lanes, positive);
      total += positive;
    }
  }
  const Integers good = (total > Vector{}) & (total < broadcast(1e300));
  const Vector inverse = select(good, 1.0 / total, Vector{});
  for (int p = 0; p < nx * ny; ++p)
    store(spots + p * lanes, select(good, load(spots + p * lanes) * inverse, Vector{}));
}

}  // namespace

size_t spot_scratch(const FiberPsf &psf) {
  const int nx = 2 * psf.half_x + 1;
  const int ny = 2 * psf.half_y + 1;
  return static_cast<size_t>(lanes) *
         static_cast<size_t>((psf.degree_x + 1) * nx + (psf.degree_y + 1) * (ny + nx));
}

void evaluate_spots(const FiberPsf &psf, const FiberBases &bases, ptrdiff_t bin,
                    const int *corner_x, const int *corner_y, double *spots,
                    double *scratch) {
  const bool usual = psf.degree_x == 6 && psf.degree_y == 6;  // as DESI's PSF fits have
  const auto chosen = psf.tail == nullptr
                          ? (usual ? evaluate<7, false> : evaluate<0, false>)
                          : (usual ? evaluate<7, true> : evaluate<0, true>);
  chosen(psf, bases, bin, corner_x, corner_y, spots, scratch);
}

void place_spots(const StampLayout &layout, const double *spots, const int *shift,
                 double *const *stamps) {
  for (int r = 0; r < layout.ny; ++r) {
    const int covered =
        (layout.nx + lanes - 1) / lanes * lanes;  // by the blocks, and shift
    for (int bin = 0; bin < lanes; ++bin) {
      store(stamps[bin] + r * layout.row, Vector{});
      for (int c = covered; c < layout.row; c += lanes)
        store(stamps[bin] + r * layout.row + c, Vector{});
    }
    // Ascending, because the zeros that follow a block are overwritten by the next one.
    for (int c = 0; c < layout.nx; c += lanes) {
      Vector block[8];
      for (int k = 0; k < lanes; ++k)
        block[k] =
            c + k < layout.nx ? load(spots + (r * layout.nx + c + k) * lanes) : Vector{};
      transpose(block);
      for (int bin = 0; bin < lanes; ++bin)
        store(stamps[bin] + r * layout.row + shift[bin] + c, block[bin]);
    }
  }
  for (int bin = 0; bin < lanes; ++bin)
    for (int c = 0; c < layout.row; c += lanes)
      store(stamps[bin] + layout.ny * layout.row + c, Vector{});
}

}  // namespace specex::SPECEX_ISA
