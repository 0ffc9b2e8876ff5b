// SPDX-License-Identifier: BSD-3-Clause
//
// The blocks of N = A^T W A, b = A^T W d and g = A^T W 1 from overlapping stamps; A is
// never formed. Lanes are 8 pixels of a row. A fibre's own block is summed in double; the
// coupling with the next fibre is some 1e-3 of it and is summed in float.
#include "kernels/cpu/simd/stages.hpp"

namespace specex::SPECEX_ISA {
namespace {

using FloatPair = float __attribute__((vector_size(64)));
using LooseFloatPair = float __attribute__((vector_size(64), aligned(4), may_alias));

SPECEX_INLINE Integers lane_numbers() { return Integers{0, 1, 2, 3, 4, 5, 6, 7}; }

// sum over `rows` rows of a * b; Blocks > 0 fixes the number of 8-column blocks.
template <int Blocks>
SPECEX_INLINE Vector dot_rows(const double *a, const double *b, int rows, int row,
                              int blocks) {
  const int n = Blocks > 0 ? Blocks : blocks;
  Vector part[Blocks > 0 ? Blocks : 1] = {};
  for (int r = 0; r < rows; ++r)
    for (int k = 0; k < n; ++k)
      part[Blocks > 0 ? k : 0] +=
          load(a + r * row + k * lanes) * load(b + r * row + k * lanes);
  Vector total = part[0];
  for (int k = 1; k < Blocks; ++k) total += part[k];
  return total;
}

SPECEX_INLINE Floats dot_rows(const float *a, const float *b, int rows, int row,
                              int blocks) {
  Floats total{};
  if (blocks == 2) {
    FloatPair pair{};
    for (int r = 0; r < rows; ++r)
      pair += *reinterpret_cast<const LooseFloatPair *>(a + r * row) *
              *reinterpret_cast<const LooseFloatPair *>(b + r * row);
    return __builtin_shufflevector(pair, pair, 0, 1, 2, 3, 4, 5, 6, 7) +
           __builtin_shufflevector(pair, pair, 8, 9, 10, 11, 12, 13, 14, 15);
  }
  for (int r = 0; r < rows; ++r)
    for (int k = 0; k < blocks; ++k)
      total += load(a + r * row + k * lanes) * load(b + r * row + k * lanes);
  return total;
}

struct BinSum {
  Vector data{};
  Vector weight{};
  Vector masked{};
};

// Weighted spot, its sums and its float copy.
template <int Blocks>
SPECEX_INLINE BinSum weigh(const SelfBlock &block, int w, const double *spot,
                           double *weighted) {
  const int n = Blocks > 0 ? Blocks : block.layout.row / lanes;
  const ptrdiff_t stride = block.strip.stride;
  const ptrdiff_t corner =
      (block.y0[w] - block.strip.ymin) * stride + (block.x0[w] - block.strip.xmin);
  const double *weights = block.strip.weights + corner;
  const double *values = block.strip.values + corner;
  const unsigned char *flags = block.strip.masked + corner / lanes;
  float *kept = block.kept + static_cast<ptrdiff_t>(w) * block.layout.size;
  BinSum sums;
  int any = 0;
  for (int r = 0; r < block.layout.ny; ++r)
    for (int k = 0; k < n; ++k) {
      const Vector s = load(spot + r * block.layout.row + k * lanes);
      const Vector t = s * load(weights + r * stride + k * lanes);
      store(weighted + r * block.layout.row + k * lanes, t);
      store(kept + r * block.layout.row + k * lanes, narrow(s));
      sums.weight += t;
      sums.data += t * load(values + r * stride + k * lanes);
      any |= flags[r * (stride / lanes) + k];
    }
  if (any != 0)
    for (int r = 0; r < block.layout.ny; ++r)
      for (int k = 0; k < n; ++k) {
        const Vector s = load(spot + r * block.layout.row + k * lanes);
        const Integers none = load(weights + r * stride + k * lanes) == Vector{};
        sums.masked += select(none, s, Vector{});
      }
  return sums;
}

// Part of a bin's diagonal element in the columns from `column` on (or before it).
double edge_share(const SelfBlock &block, int w, const double *spot,
                  const double *weighted, int column, bool before, double diagonal) {
  const int x0 = block.x0[w];
  const int row = block.layout.row;
  if (!(diagonal > 0.0) || (before ? column <= x0 : column >= x0 + row)) return 0.0;
  const Integers edge = Integers{} + (column - x0);
  Vector total{};
  for (int k = 0; k < row / lanes; ++k) {
    const Integers number = lane_numbers() + k * lanes;
    const Integers inside = before ? number < edge : number >= edge;
    if (before ? k * lanes >= column - x0 : (k + 1) * lanes <= column - x0) continue;
    for (int r = 0; r < block.layout.ny; ++r) {
      const ptrdiff_t at = r * row + k * lanes;
      total += select(inside, load(spot + at) * load(weighted + at), Vector{});
    }
  }
  return sum(total) / diagonal;
}

double far_coupling(const SelfBlock &block, int w, const double *weighted,
                    double diagonal) {
  const int near = block.far_bin[w];
  if (block.far_spots == nullptr || near < 0) return 0.0;
  double largest = 0.0;
  for (int v = near > 0 ? near - 1 : 0; v <= near + 1 && v < block.nbin; ++v) {
    const double other = block.far_band[static_cast<ptrdiff_t>(v) * block.band_stride];
    const double sum =
        overlap_stamps(block.layout, weighted,
                       block.far_spots + static_cast<ptrdiff_t>(v) * block.layout.size,
                       block.far_x0[v] - block.x0[w], block.far_y0[v] - block.y0[w]);
    const double scale = __builtin_sqrt(diagonal * other);
    if (scale > 0.0 && sum > largest * scale) largest = sum / scale;
  }
  return largest;
}

template <int Blocks>
void self_rows(const SelfBlock &block) {
  const StampLayout &layout = block.layout;
  const int blocks = layout.row / lanes;
  double *weighted = block.scratch;
  const auto stamp = [&](int w) {
    return block.spots + static_cast<ptrdiff_t>(w & (block.ring - 1)) * layout.size;
  };
  for (int w = block.first; w < block.end; ++w) {
    const BinSum sums = weigh<Blocks>(block, w, stamp(w), weighted);
    double *band = block.band + static_cast<ptrdiff_t>(w) * block.band_stride;
    for (int first = 0; first < block.band_stride; first += lanes) {
      Vector part[8];
      for (int k = 0; k < lanes; ++k) {
        const int m = first + k;
        part[k] = Vector{};
        if (m > block.half_band || w + m >= block.nbin) continue;
        // Rows and columns that the two stamps share.
        const int down = block.y0[w + m] - block.y0[w];
        const int rows = layout.ny - (down < 0 ? -down : down);
        const int right = block.x0[w + m] - block.x0[w];
        if (rows <= 0 || right >= layout.row || right <= -layout.row) continue;
        const double *a = weighted + (down > 0 ? down * layout.row : 0);
        const double *b = stamp(w + m) + (down < 0 ? -down * layout.row : 0);
        if (right == 0)
          part[k] = dot_rows<Blocks>(a, b, rows, layout.row, blocks);
        else
          part[k] =
              dot_rows<0>(a + (right > 0 ? right : 0), b + (right < 0 ? -right : 0), rows,
                          layout.row, blocks - (right < 0 ? -right : right) / lanes);
      }
      store(band + first, specex::SPECEX_ISA::sums(part));
    }
    block.data[w] = sum(sums.data);
    block.weight[w] = sum(sums.weight);
    block.masked[w] = sum(sums.masked);
    const double left =
        edge_share(block, w, stamp(w), weighted, block.left_x[w], true, band[0]);
    const double right =
        edge_share(block, w, stamp(w), weighted, block.right_x[w], false, band[0]);
    block.edge_share[w] = left > right ? left : right;
    block.far_coupling[w] = far_coupling(block, w, weighted, band[0]);
  }
}

// Adds up the lanes of 8 float vectors; lane k of the result belongs to row k.
SPECEX_INLINE Vector widened_sums(const Floats (&row)[8]) {
  Vector wide[8];
  for (int k = 0; k < lanes; ++k) wide[k] = widen(row[k]);
  return sums(wide);
}

}  // namespace

void self_block(const SelfBlock &block) {
  if (block.layout.row == 3 * lanes)
    self_rows<3>(block);
  else if (block.layout.row == 2 * lanes)
    self_rows<2>(block);
  else
    self_rows<0>(block);
}

void cross_block(const CrossBlock &block) {
  const StampLayout &layout = block.layout;
  const int blocks = layout.row / lanes;
  const ptrdiff_t stride = block.strip.stride;
  float *weighted = block.scratch;
  for (int w = 0; w < block.nbin; ++w) {
    double *cross = block.cross + static_cast<ptrdiff_t>(w) * block.lag_stride;
    const float *spot = block.spots_f + static_cast<ptrdiff_t>(w) * layout.size;
    const double *weights = block.strip.weights +
                            (block.y0_f[w] - block.strip.ymin) * stride +
                            (block.x0_f[w] - block.strip.xmin);
    for (int r = 0; r < layout.ny; ++r)
      for (int k = 0; k < blocks; ++k) {
        const ptrdiff_t at = r * layout.row + k * lanes;
        store(weighted + at,
              load(spot + at) * narrow(load(weights + r * stride + k * lanes)));
      }
    for (int first = 0; first < block.lag_stride; first += lanes) {
      Floats part[8];
      for (int k = 0; k < lanes; ++k) {
        part[k] = Floats{};
        const int v = w + block.first_lag + first + k;
        if (first + k >= block.nlag || v < 0 || v >= block.nbin) continue;
        const int down = block.y0_g[v] - block.y0_f[w];
        const int rows = layout.ny - (down < 0 ? -down : down);
        const int right = block.x0_g[v] - block.x0_f[w];
        if (rows <= 0 || right >= layout.row || right <= -layout.row) continue;
        const float *b = block.spots_g + static_cast<ptrdiff_t>(v) * layout.size +
                         (down < 0 ? -down * layout.row : 0) + (right < 0 ? -right : 0);
        part[k] = dot_rows(
            weighted + (down > 0 ? down * layout.row : 0) + (right > 0 ? right : 0), b,
            rows, layout.row, blocks - (right < 0 ? -right : right) / lanes);
      }
      store(cross + first, widened_sums(part));
    }
  }
}

void weigh_stamp(const StampLayout &layout, const Strip &strip, const float *stamp,
                 int x0, int y0, int first_row, int end_row, double *weighted) {
  const double *weights =
      strip.weights + (y0 - strip.ymin) * strip.stride + (x0 - strip.xmin);
  for (int r = 0; r < layout.ny; ++r)
    for (int k = 0; k < layout.row; k += lanes) {
      const ptrdiff_t at = r * layout.row + k;
      const bool inside = r >= first_row && r < end_row;
      store(weighted + at,
            inside ? widen(load(stamp + at)) * load(weights + r * strip.stride + k)
                   : Vector{});
    }
}

double overlap_stamps(const StampLayout &layout, const double *weighted,
                      const float *stamp, int right, int down) {
  const int rows = layout.ny - (down < 0 ? -down : down);
  const int columns = layout.row - (right < 0 ? -right : right);
  if (rows <= 0 || columns <= 0) return 0.0;
  const double *a =
      weighted + (down > 0 ? down * layout.row : 0) + (right > 0 ? right : 0);
  const float *b = stamp + (down < 0 ? -down * layout.row : 0) + (right < 0 ? -right : 0);
  Vector total{};
  for (int r = 0; r < rows; ++r)
    for (int k = 0; k < columns; k += lanes)
      total += load(a + r * layout.row + k) * widen(load(b + r * layout.row + k));
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
