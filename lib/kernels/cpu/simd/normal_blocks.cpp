// SPDX-License-Identifier: BSD-3-Clause
//
// The blocks of N = A^T W A, b = A^T W d and g = A^T W 1 from overlapping stamps; A is
// never formed. Lanes are 8 pixels of a row. A fibre's own block is summed in double; the
// coupling with the next fibre is some 1e-3 of it and is summed in float.
#include "kernels/cpu/simd/half_band.hpp"
#include "kernels/cpu/simd/lag_group.hpp"
#include "kernels/cpu/simd/stages.hpp"

namespace specex::SPECEX_ISA {
namespace {

constexpr int64_t lane_numbers[lanes] = {0, 1, 2, 3, 4, 5, 6, 7};

struct BinSums {
  double data;
  double weight;
  double masked;
};

// Share of a bin's profile on pixels of weight 0.
template <class Shape>
double masked_share(const Shape &shape, const double *spot, const double *weights,
                    ptrdiff_t stride) {
  Vector total{};
  for (int r = 0; r < shape.ny; ++r)
    for (int k = 0; k < shape.row; k += lanes)
      total += select(load(weights + r * stride + k) == Vector{},
                      load(spot + r * shape.row + k), Vector{});
  return sum(total);
}

// Weighted spot, its sums and its float copies.
template <class Shape>
SPECEX_INLINE BinSums weigh(const Shape &shape, const FiberBlock &block, int w,
                            const double *spot, float *rounded) {
  // Sums by column blocks, where their number is fixed, need not wait for each other.
  constexpr int parts = Shape::blocks > 0 ? Shape::blocks : 1;
  const int row = shape.row;
  const ptrdiff_t stride = block.strip.stride;
  const ptrdiff_t corner = (block.own.y0[w] - block.strip.ymin) * stride +
                           (block.own.x0[w] - block.strip.xmin);
  const double *weights = block.strip.weights + corner;
  const float *float_weights = block.strip.float_weights + corner;
  const double *values = block.strip.values + corner;
  double *weighted = block.weighted;
  float *kept = block.kept + static_cast<ptrdiff_t>(w) * block.layout.size;
  Vector weight[parts] = {};
  Vector data[parts] = {};
  Vector least = load(weights);
  for (int r = 0; r < shape.ny; ++r)
    for (int first = 0; first < row; first += parts * lanes)
      for (int i = 0; i < parts; ++i) {
        const ptrdiff_t at = r * row + first + i * lanes;
        const ptrdiff_t pixel = r * stride + first + i * lanes;
        const Vector s = load(spot + at);
        const Vector u = load(weights + pixel);
        const Vector t = s * u;
        const Floats f = narrow(s);
        store(weighted + at, t);
        store(kept + at, f);
        store(rounded + at, f * load(float_weights + pixel));
        weight[i] += t;
        data[i] += t * load(values + pixel);
        least = minimum(least, u);
      }
  for (int k = 0; k < row; k += lanes) store(kept + shape.ny * row + k, Floats{});
  for (int i = 1; i < parts; ++i) {
    weight[0] += weight[i];
    data[0] += data[i];
  }
  const bool any_masked = sum(select(least > Vector{}, Vector{}, broadcast(1.0))) > 0.0;
  return {sum(data[0]), sum(weight[0]),
          any_masked ? masked_share(shape, spot, weights, stride) : 0.0};
}

// Part of a bin's diagonal element in the columns from `column` on (or before it).
double edge_share(const FiberBlock &block, int w, const double *spot, int column,
                  bool before) {
  const int row = block.layout.row;
  const int edge = column - block.own.x0[w];
  Vector total{};
  for (int k = 0; k < row; k += lanes) {
    if (before ? k >= edge : k + lanes <= edge) continue;
    const Integers number = load(lane_numbers) + k;
    const Integers inside =
        before ? number < (Integers{} + edge) : number >= (Integers{} + edge);
    for (int r = 0; r < block.layout.ny; ++r) {
      const ptrdiff_t at = r * row + k;
      total += select(inside, load(spot + at) * load(block.weighted + at), Vector{});
    }
  }
  const double scale = block.scale[w];
  return sum(total) * scale * scale;
}

// What concerns bin w's fibre alone.
template <class Shape>
SPECEX_INLINE void own_row(const Shape &shape, const FiberBlock &block,
                           const LagGroup<1, Shape, double> *groups, int ngroup, int w,
                           const double *spot, float *rounded) {
  const BinSums bin = weigh(shape, block, w, spot, rounded);
  block.data[w] = bin.data;
  block.weight[w] = bin.weight;
  block.masked[w] = bin.masked;
  double *band = block.band + static_cast<ptrdiff_t>(w) * block.band_stride;
  for (int g = 0; g < block.band_stride / lanes; ++g)
    store(band + g * lanes, g < ngroup ? groups[g].dots(w, block.weighted) : Vector{});
  block.scale[w] = band[0] > 0.0 ? 1.0 / __builtin_sqrt(band[0]) : 0.0;
  const int x0 = block.own.x0[w];
  double share = 0.0;
  if (block.left_x[w] > x0) share = edge_share(block, w, spot, block.left_x[w], true);
  if (block.right_x[w] < x0 + shape.row) {
    const double right = edge_share(block, w, spot, block.right_x[w], false);
    share = right > share ? right : share;
  }
  block.edge_share[w] = share;
  block.far_coupling[w] = 0.0;  // until far_couplings() finds some
}

// The first of a fibre's bins whose stamp does not begin above `row`.
template <class T>
int first_from(const FiberView<T> &fiber, int row) {
  int low = 0;
  for (int count = fiber.nbin; count > 0;) {
    const int half = count / 2;
    const bool above = fiber.y0[low + half] < row;
    low = above ? low + half + 1 : low;
    count = above ? count - half - 1 : half;
  }
  return low;
}

// The largest coupling of bins [first, end) with the fibre after the next: with those
// whose stamps lie closest to it, and above. It changes little from bin to bin but for
// the scale: one bin stands for a few.
template <class Shape>
SPECEX_INLINE void far_couplings(const Shape &shape, const FiberBlock &block,
                                 const FiberView<float> &own, const FiberView<float> &far,
                                 int first, int end) {
  constexpr int few = 4;
  LagGroup<1, Shape, float> group(shape);
  const int offset = first_from(far, own.y0[first]) - first;
  const bool meets = group.set(own, far, first, end, offset);
  for (int w = first; w < end; w += few) {
    const int last = w + few < end ? w + few : end;
    double largest = 0.0;
    double scale = 0.0;
    if (meets) {
      double element[8];
      store(element, group.dots(w, block.rounded + (w - first) * block.layout.size));
      for (int k = 0; k < lanes && w + offset + k < block.nbin; ++k) {
        const double coupling = element[k] * block.far_scale[w + offset + k];
        largest = coupling > largest ? coupling : largest;
      }
      for (int k = w; k < last; ++k)
        scale = block.scale[k] > scale ? block.scale[k] : scale;
    }
    for (int k = w; k < last; ++k) block.far_coupling[k] = largest * scale;
  }
}

// The coupling of bins [first, end) with those of the next fibre, from `offset` on as far
// as they share rows.
template <int Sign, class Shape>
SPECEX_INLINE void cross_columns(const Shape &shape, const FiberBlock &block,
                                 const FiberView<float> &own,
                                 const FiberView<float> &next, int first, int end,
                                 int offset) {
  LagGroup<Sign, Shape, float> group(shape);
  for (; group.set(own, next, first, end, offset); offset += Sign * lanes) {
    // The lowest of the 8, and which of them are elements of the matrix.
    const int low = offset - block.first_lag - (Sign > 0 ? 0 : lanes - 1);
    const Integers number = load(lane_numbers) + low;
    const Integers inside = (number >= Integers{}) & (number < (Integers{} + block.nlag));
    for (int w = first; w < end; ++w) {
      const Vector sums = group.dots(w, block.rounded + (w - first) * block.layout.size);
      const Vector element = select(inside, Sign > 0 ? sums : reversed(sums), Vector{});
      double *to = block.cross + static_cast<ptrdiff_t>(w) * block.lag_stride;
      if (low >= 0 && low + lanes <= block.lag_stride) {
        store(to + low, element);
      } else {
        for (int k = 0; k < lanes; ++k)
          if (low + k >= 0 && low + k < block.nlag) to[low + k] = element[k];
      }
    }
  }
}

template <class Shape>
void fiber_rows(const FiberBlock &block) {
  const Shape shape(block.layout);
  const int size = block.layout.size;
  const int nbin = block.nbin;
  const FiberView<double> own = {block.ring,   block.ring_size - 1, size,
                                 block.own.x0, block.own.y0,        nbin};
  const auto view = [&](const FiberStamps &fiber) {
    return FiberView<float>{fiber.spots, -1, size, fiber.x0, fiber.y0, nbin};
  };
  const FiberView<float> kept = view(block.own);
  const FiberView<float> next = view(block.next);
  const FiberView<float> far = view(block.far);
  // A few bins at a time: first all that concerns this fibre, then the others, so that
  // what is read over and over stays close.
  for (int first = block.first; first < block.end; first += lanes) {
    const int end = first + lanes < block.end ? first + lanes : block.end;
    using Group = LagGroup<1, Shape, double>;
    Group groups[2] = {Group(shape), Group(shape)};
    static_assert(largest_spot_band < 2 * lanes);
    int ngroup = 0;
    while (ngroup < 2 && groups[ngroup].set(own, own, first, end, ngroup * lanes))
      ++ngroup;
    for (int w = first; w < end; ++w)
      own_row(shape, block, groups, ngroup, w, own.stamp(w),
              block.rounded + (w - first) * size);
    if (far.stamps != nullptr) far_couplings(shape, block, kept, far, first, end);
    if (next.stamps == nullptr) continue;
    const int offset = first_from(next, own.y0[first]) - first;
    cross_columns<1>(shape, block, kept, next, first, end, offset);
    cross_columns<-1>(shape, block, kept, next, first, end, offset - 1);
  }
}

}  // namespace

void fiber_block(const FiberBlock &block) {
  if (block.layout.row == 3 * lanes && block.layout.ny == 11)  // DESI's
    fiber_rows<Shape<3, 11>>(block);
  else
    fiber_rows<Shape<0, 0>>(block);
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

}  // namespace specex::SPECEX_ISA
