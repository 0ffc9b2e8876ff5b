// SPDX-License-Identifier: BSD-3-Clause
//
// The blocks of N = A^T W A, b = A^T W d and g = A^T W 1 from overlapping stamps; A is
// never formed. Lanes are 8 pixels of a row. A fibre's own block is summed in double; the
// coupling with the fibre before is some 1e-3 of it and is summed in float.
#include "kernels/cpu/simd/stages.hpp"

namespace specex::SPECEX_ISA {
namespace {

constexpr int64_t lane_numbers[lanes] = {0, 1, 2, 3, 4, 5, 6, 7};

// The shape of stamps, where it is one that is compiled for: 0 stands for any.
template <int Blocks, int Rows>
struct Shape {
  int row;
  int ny;
  explicit Shape(const StampLayout &layout)
      : row(Blocks > 0 ? Blocks * lanes : layout.row), ny(Rows > 0 ? Rows : layout.ny) {}
};

using WideFloats = Lanes<float, 2 * lanes>::type;

// Sum of a * b over `rows` rows of two blocks of 8 columns.
SPECEX_INLINE Floats dot_row_pairs(const float *a, const float *b, int rows, int row) {
  WideFloats total{};
  for (int r = 0; r < rows; ++r)
    total += load_as<WideFloats>(a + r * row) * load_as<WideFloats>(b + r * row);
  return low_half(total) + high_half(total);
}

// Sum of a * b over `rows` rows of `blocks` blocks of 8 columns; Blocks > 0 fixes those.
template <int Blocks, class T>
SPECEX_INLINE auto dot_rows(const T *a, const T *b, int rows, int blocks, int row) {
  const int n = Blocks > 0 ? Blocks : blocks;
  decltype(load(a)) part[Blocks + (Blocks == 0)] = {};
  for (int r = 0; r < rows; ++r)
    for (int k = 0; k < n; ++k)
      part[Blocks > 0 ? k : 0] +=
          load(a + r * row + k * lanes) * load(b + r * row + k * lanes);
  auto total = part[0];
  for (int k = 1; k < Blocks; ++k) total += part[k];
  return total;
}

// Sum over the pixels that two stamps share: `theirs` lies `right` columns (a multiple of
// 8) and `down` rows on from `ours`.
template <int Blocks, int Rows, class T>
SPECEX_INLINE auto shared_dot(const Shape<Blocks, Rows> &shape, const T *ours,
                              const T *theirs, int right, int down) {
  const int rows = shape.ny - (down < 0 ? -down : down);
  const int columns = shape.row - (right < 0 ? -right : right);
  const int blocks = columns / lanes;
  if (rows <= 0 || columns <= 0) return decltype(load(ours)){};
  const T *a = ours + (down > 0 ? down * shape.row : 0) + (right > 0 ? right : 0);
  const T *b = theirs + (down < 0 ? -down * shape.row : 0) + (right < 0 ? -right : 0);
  if (blocks == 1) return dot_rows<1>(a, b, rows, blocks, shape.row);
  if constexpr (sizeof(T) == sizeof(float)) {
    if (blocks == 2) return dot_row_pairs(a, b, rows, shape.row);
  }
  if (blocks == 2) return dot_rows<2>(a, b, rows, blocks, shape.row);
  if (blocks == 3) return dot_rows<3>(a, b, rows, blocks, shape.row);
  return dot_rows<0>(a, b, rows, blocks, shape.row);
}

SPECEX_INLINE const double *ring_stamp(const FiberBlock &block, int w) {
  return block.ring +
         static_cast<ptrdiff_t>(w & (block.ring_size - 1)) * block.layout.size;
}

SPECEX_INLINE const float *stamp_of(const FiberBlock &block, const FiberStamps &fiber,
                                    int w) {
  return fiber.spots + static_cast<ptrdiff_t>(w) * block.layout.size;
}

struct BinSum {
  Vector data{};
  Vector weight{};
  Vector masked{};
};

// Weighted spot, its sums and its float copy.
template <int Blocks, int Rows>
SPECEX_INLINE BinSum weigh(const Shape<Blocks, Rows> &shape, const FiberBlock &block,
                           int w, const double *spot, double *weighted, float *rounded) {
  const int row = shape.row;
  const ptrdiff_t stride = block.strip.stride;
  const ptrdiff_t corner = (block.own.y0[w] - block.strip.ymin) * stride +
                           (block.own.x0[w] - block.strip.xmin);
  const double *weights = block.strip.weights + corner;
  const double *values = block.strip.values + corner;
  const unsigned char *flags = block.strip.masked + corner / lanes;
  float *kept = block.kept + static_cast<ptrdiff_t>(w) * block.layout.size;
  BinSum total;
  int any = 0;
  for (int k = 0; k < row; k += lanes) {
    BinSum sums;  // of their own, so that they need not wait for each other
    for (int r = 0; r < shape.ny; ++r) {
      const Vector s = load(spot + r * row + k);
      const Vector t = s * load(weights + r * stride + k);
      store(weighted + r * row + k, t);
      store(rounded + r * row + k, narrow(t));
      store(kept + r * row + k, narrow(s));
      sums.weight += t;
      sums.data += t * load(values + r * stride + k);
      any |= flags[r * (stride / lanes) + k / lanes];
    }
    total.weight += sums.weight;
    total.data += sums.data;
  }
  if (any != 0)
    for (int r = 0; r < shape.ny; ++r)
      for (int k = 0; k < row; k += lanes) {
        const Integers none = load(weights + r * stride + k) == Vector{};
        total.masked += select(none, load(spot + r * row + k), Vector{});
      }
  return total;
}

// Part of a bin's diagonal element in the columns from `column` on (or before it).
double edge_share(const FiberBlock &block, int w, const double *spot,
                  const double *weighted, int column, bool before, double diagonal) {
  const int x0 = block.own.x0[w];
  const int row = block.layout.row;
  if (!(diagonal > 0.0) || (before ? column <= x0 : column >= x0 + row)) return 0.0;
  const Integers edge = Integers{} + (column - x0);
  Vector total{};
  for (int k = 0; k < row / lanes; ++k) {
    const Integers number = load(lane_numbers) + k * lanes;
    const Integers inside = before ? number < edge : number >= edge;
    if (before ? k * lanes >= column - x0 : (k + 1) * lanes <= column - x0) continue;
    for (int r = 0; r < block.layout.ny; ++r) {
      const ptrdiff_t at = r * row + k * lanes;
      total += select(inside, load(spot + at) * load(weighted + at), Vector{});
    }
  }
  return sum(total) / diagonal;
}

double far_coupling(const FiberBlock &block, int w, const double *weighted,
                    double diagonal) {
  const int near = block.far_bin[w];
  if (block.far.spots == nullptr || near < 0) return 0.0;
  double largest = 0.0;
  for (int v = near > 0 ? near - 1 : 0; v <= near + 1 && v < block.nbin; ++v) {
    const double other = block.far_band[static_cast<ptrdiff_t>(v) * block.band_stride];
    const double sum =
        overlap_stamps(block.layout, weighted, stamp_of(block, block.far, v),
                       block.far.x0[v] - block.own.x0[w],
                       block.far.y0[v] - block.own.y0[w], 0, block.layout.ny);
    const double scale = __builtin_sqrt(diagonal * other);
    if (scale > 0.0 && sum > largest * scale) largest = sum / scale;
  }
  return largest;
}

// Adds up the lanes of 8 float vectors; lane k of the result belongs to row k.
SPECEX_INLINE Vector widened_sums(const Floats (&row)[8]) {
  Vector wide[8];
  for (int k = 0; k < lanes; ++k) wide[k] = widen(row[k]);
  return sums(wide);
}

template <int Blocks, int Rows>
SPECEX_INLINE void band_row(const Shape<Blocks, Rows> &shape, const FiberBlock &block,
                            int w, const double *weighted) {
  double *band = block.band + static_cast<ptrdiff_t>(w) * block.band_stride;
  for (int first = 0; first < block.band_stride; first += lanes) {
    Vector part[8];
    for (int k = 0; k < lanes; ++k) {
      const int v = w + first + k;
      const bool counts = first + k <= block.half_band && v < block.nbin;
      part[k] = counts ? shared_dot(shape, weighted, ring_stamp(block, v),
                                    block.own.x0[v] - block.own.x0[w],
                                    block.own.y0[v] - block.own.y0[w])
                       : Vector{};
    }
    store(band + first, sums(part));
  }
}

// What concerns bin w's fibre alone, and how far others reach.
template <int Blocks, int Rows>
SPECEX_INLINE void own_row(const Shape<Blocks, Rows> &shape, const FiberBlock &block,
                           int w, double *weighted, float *rounded) {
  const double *spot = ring_stamp(block, w);
  const BinSum bin = weigh(shape, block, w, spot, weighted, rounded);
  block.data[w] = sum(bin.data);
  block.weight[w] = sum(bin.weight);
  block.masked[w] = sum(bin.masked);
  band_row(shape, block, w, weighted);
  const double diagonal = block.band[static_cast<ptrdiff_t>(w) * block.band_stride];
  const double left =
      edge_share(block, w, spot, weighted, block.left_x[w], true, diagonal);
  const double right =
      edge_share(block, w, spot, weighted, block.right_x[w], false, diagonal);
  block.edge_share[w] = left > right ? left : right;
  block.far_coupling[w] = far_coupling(block, w, weighted, diagonal);
}

// The coupling of bin w with the bins of the fibre before: one element of their rows
// each.
template <int Blocks, int Rows>
SPECEX_INLINE void cross_column(const Shape<Blocks, Rows> &shape, const FiberBlock &block,
                                int w, const float *weighted) {
  for (int first = 0; first < block.nlag; first += lanes) {
    Floats part[8];
    for (int k = 0; k < lanes; ++k) {
      const int v = w - block.first_lag - first - k;
      const bool counts = first + k < block.nlag && v >= 0 && v < block.nbin;
      part[k] = counts ? shared_dot(shape, weighted, stamp_of(block, block.before, v),
                                    block.before.x0[v] - block.own.x0[w],
                                    block.before.y0[v] - block.own.y0[w])
                       : Floats{};
    }
    double element[8];
    store(element, widened_sums(part));
    for (int k = 0; k < lanes; ++k) {
      const int l = first + k;
      const int v = w - block.first_lag - l;
      if (l < block.nlag && v >= 0 && v < block.nbin)
        block.cross[static_cast<ptrdiff_t>(v) * block.lag_stride + l] = element[k];
    }
  }
}

template <int Blocks, int Rows>
void fiber_rows(const FiberBlock &block) {
  const Shape<Blocks, Rows> shape(block.layout);
  const auto rounded = [&](int k) { return block.rounded + k * block.layout.size; };
  // A few bins at a time: first all that concerns this fibre, then the one before, so
  // that what is read over and over stays close.
  for (int first = block.first; first < block.end; first += lanes) {
    const int end = first + lanes < block.end ? first + lanes : block.end;
    for (int w = first; w < end; ++w)
      own_row(shape, block, w, block.weighted, rounded(w - first));
    if (block.before.spots == nullptr) continue;
    for (int w = first; w < end; ++w) cross_column(shape, block, w, rounded(w - first));
  }
}

}  // namespace

void fiber_block(const FiberBlock &block) {
  if (block.layout.row == 3 * lanes && block.layout.ny == 11)  // DESI's
    fiber_rows<3, 11>(block);
  else
    fiber_rows<0, 0>(block);
}

StampSums weigh_stamp(const StampLayout &layout, const Strip &strip, const float *stamp,
                      int x0, int y0, int first_row, int end_row, double *weighted) {
  const ptrdiff_t corner = (y0 - strip.ymin) * strip.stride + (x0 - strip.xmin);
  Vector data{};
  Vector weight{};
  Vector usable{};
  for (int r = first_row; r < end_row; ++r)
    for (int k = 0; k < layout.row; k += lanes) {
      const ptrdiff_t at = r * layout.row + k;
      const ptrdiff_t pixel = corner + r * strip.stride + k;
      const Vector s = widen(load(stamp + at));
      const Vector w = load(strip.weights + pixel);
      const Vector t = s * w;
      store(weighted + at, t);
      data += t * load(strip.values + pixel);
      weight += t;
      usable += select(w > Vector{}, s, Vector{});
    }
  return {sum(data), sum(weight), sum(usable)};
}

double overlap_stamps(const StampLayout &layout, const double *weighted,
                      const float *stamp, int right, int down, int first_row,
                      int end_row) {
  const int low = first_row > down ? first_row : down;
  const int high = end_row < layout.ny + down ? end_row : layout.ny + down;
  const int first = right > 0 ? right : 0;
  const int end = right < 0 ? layout.row + right : layout.row;
  Vector total{};
  for (int r = low; r < high; ++r) {
    const double *a = weighted + r * layout.row;
    const float *b = stamp + (r - down) * layout.row - right;
    for (int k = first; k < end; k += lanes) total += load(a + k) * widen(load(b + k));
  }
  return sum(total);
}

void interleave(const double *const *from, int count, double *to) {
  for (int first = 0; first < count; first += lanes) {
    Vector block[8];
    for (int lane = 0; lane < lanes; ++lane) block[lane] = load(from[lane] + first);
    transpose(block);
    for (int k = 0; k < lanes; ++k) store(to + (first + k) * lanes, block[k]);
  }
}

}  // namespace specex::SPECEX_ISA
