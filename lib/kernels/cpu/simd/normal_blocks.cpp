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

constexpr int lane_numbers[lanes] = {0, 1, 2, 3, 4, 5, 6, 7};

constexpr int ahead = 8;  // bins whose stamps are asked for before they are written

struct BinSums {
  double data;
  double weight;
  double masked;
};

// Share of a bin's profile on pixels of weight 0.
template <class Shape>
double masked_share(const Weighted<Shape, double> &stamp) {
  const Shape &shape = stamp.shape;
  Vector total{};
  for (Row at{}; at.stamp < shape.ny * shape.row; stamp.go_on(at))
    for (int k = 0; k < shape.row; k += lanes)
      total += select(load(stamp.weights + at.pixel + k) == Vector{},
                      load(stamp.spot + at.stamp + k), Vector{});
  return sum(total);
}

// Whether a pixel of weight 0 lies under the stamps of bins [first, end).
template <class Shape>
bool meets_masked(const Shape &shape, const FiberBlock &block, int first, int end) {
  const Strip &strip = block.strip;
  const int *x0 = block.own.x0;
  const int *y0 = block.own.y0;
  int left = x0[first];
  int right = x0[first];
  for (int w = first + 1; w < end; ++w) {
    left = x0[w] < left ? x0[w] : left;
    right = x0[w] > right ? x0[w] : right;
  }
  const ptrdiff_t corner = (y0[first] - strip.ymin) * strip.stride + (left - strip.xmin);
  const int rows = y0[end - 1] - y0[first] + shape.ny;
  Vector least = load(strip.weights + corner);
  for (ptrdiff_t r = 0; r < rows; ++r)
    for (int k = 0; k < right - left + shape.row; k += lanes)
      least = minimum(least, load(strip.weights + corner + r * strip.stride + k));
  return !all(least > Vector{});
}

// A bin's stamp times the weights, as products ask for it, row by row, every vector once:
// on the way its sums are taken and its float copy is kept.
template <class Shape>
class Weighing {
 public:
  Weighing(const Shape &shape, const FiberBlock &block, int w, const double *spot)
      : weighted_{shape, spot, block.strip.weights + block.strip.corner(block.own, w),
                  block.strip.stride},
        values_(block.strip.values + block.strip.corner(block.own, w)),
        kept_(block.kept + static_cast<ptrdiff_t>(w) * block.layout.size) {
    // What is kept has left the caches since it was read last.
    const float *later = kept_ + ahead * block.layout.size;
    for (int k = 0; k < block.layout.size; k += 16) __builtin_prefetch(later + k, 1);
  }

  const Weighted<Shape, double> &weighted() const { return weighted_; }

  Row row(int r) const { return weighted_.row(r); }
  SPECEX_INLINE void go_on(Row &at) const { weighted_.go_on(at); }
  template <class V>
  SPECEX_INLINE V get(const Row &at, int i) const {
    const ptrdiff_t place = at.stamp + i * lanes;
    const ptrdiff_t pixel = at.pixel + i * lanes;
    const Vector s = load(weighted_.spot + place);
    const Vector u = load(weighted_.weights + pixel);
    const Vector t = s * u;
    store_floats(kept_ + place, s);
    add_lanes(weight_[i % parts], t);
    add_lanes(data_[i % parts], t * load(values_ + pixel));
    return t;
  }
  SPECEX_INLINE BinSums sums(bool any_masked) const {
    const Shape &shape = weighted_.shape;
    for (int k = 0; k < shape.row; k += lanes)
      store(kept_ + shape.ny * shape.row + k, Floats{});
    Register<Vector> data = data_[0];
    Register<Vector> weight = weight_[0];
    for (int i = 1; i < parts; ++i) {
      data += data_[i];
      weight += weight_[i];
    }
    return {sum(data), sum(weight), any_masked ? masked_share(weighted_) : 0.0};
  }

 private:
  // Sums by column blocks need not wait for each other: where their number is fixed, and
  // a Vector is one register, of which there are enough.
  static constexpr int parts = Shape::blocks > 0 && !is_pair<Vector> ? Shape::blocks : 1;

  Weighted<Shape, double> weighted_;
  const double *values_;
  float *kept_;
  mutable Register<Vector> weight_[parts] = {};
  mutable Register<Vector> data_[parts] = {};
};

// The sums of a bin where no products ask for its stamp. The object is not shared with
// those that do, so that its sums may stay in registers there.
template <class Shape>
[[gnu::noinline]] BinSums weigh_alone(const Shape &shape, const FiberBlock &block, int w,
                                      const double *spot, bool any_masked) {
  const Weighing<Shape> weighing(shape, block, w, spot);
  for (Row at{}; at.stamp < shape.ny * shape.row; weighing.go_on(at))
    for (int i = 0; i < shape.row / lanes; ++i) weighing.template get<Vector>(at, i);
  return weighing.sums(any_masked);
}

// Part of a bin's diagonal element in the columns from `column` on (or before it).
template <class Shape>
double edge_share(const Shape &shape, const FiberBlock &block, int w,
                  const Weighted<Shape, double> &weighted, int column, bool before) {
  const int edge = column - block.own.x0[w];
  Vector total{};
  for (int i = 0; i < shape.row / lanes; ++i) {
    const int first = i * lanes;
    if (before ? first >= edge : first + lanes <= edge) continue;
    const Integers number = convert<Integers>(load_as<Ints>(lane_numbers)) + first;
    const Integers inside =
        before ? number < (Integers{} + edge) : number >= (Integers{} + edge);
    for (Row at{}; at.stamp < shape.ny * shape.row; weighted.go_on(at))
      total += select(
          inside,
          load(weighted.spot + at.stamp + first) * weighted.template get<Vector>(at, i),
          Vector{});
  }
  const double scale = block.scale[w];
  return sum(total) * scale * scale;
}

// What concerns bin w's fibre alone.
template <class Shape>
SPECEX_INLINE void own_row(const Shape &shape, const FiberBlock &block,
                           const LagGroup<1, Shape, double> *groups, int ngroup, int w,
                           const double *spot, bool any_masked) {
  const Weighing<Shape> weighing(shape, block, w, spot);
  double *band = block.band + static_cast<ptrdiff_t>(w) * block.band_stride;
  BinSums bin{};
  if (groups[0].is_regular()) {
    store(band, groups[0].dots(w, weighing));
    bin = weighing.sums(any_masked);
  } else {
    store(band, groups[0].one_by_one(w, weighing.weighted()));
    bin = weigh_alone(shape, block, w, spot, any_masked);
  }
  for (int g = 1; g < block.band_stride / lanes; ++g)
    store(band + g * lanes,
          g < ngroup ? groups[g].any_dots(w, weighing.weighted()) : Vector{});
  block.data[w] = bin.data;
  block.weight[w] = bin.weight;
  block.masked[w] = bin.masked;
  block.scale[w] = band[0] > 0.0 ? 1.0 / __builtin_sqrt(band[0]) : 0.0;
  const int x0 = block.own.x0[w];
  double share = 0.0;
  if (block.left_x[w] > x0)
    share = edge_share(shape, block, w, weighing.weighted(), block.left_x[w], true);
  if (block.right_x[w] < x0 + shape.row) {
    const double right =
        edge_share(shape, block, w, weighing.weighted(), block.right_x[w], false);
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

template <class Shape>
SPECEX_INLINE Weighted<Shape, float> float_weighted(const Shape &shape,
                                                    const FiberBlock &block,
                                                    const FiberView<float> &own, int w) {
  return {shape, own.stamp(w),
          block.strip.float_weights + block.strip.corner(block.own, w),
          block.strip.stride};
}

// The largest coupling of bins [first, end) with the fibre after the next: with those
// whose stamps lie closest, and above. It changes little from bin to bin but for the
// scale: the first stands for all.
template <class Shape>
SPECEX_INLINE void far_couplings(const Shape &shape, const FiberBlock &block,
                                 const FiberView<float> &own, const FiberView<float> &far,
                                 int first, int end) {
  LagGroup<1, Shape, float> group(shape);
  const int closest = first_from(far, own.y0[first]);
  if (!group.set(own, far, first, end, closest - first)) return;
  float element[lanes];
  store(element, group.any_dots(first, float_weighted(shape, block, own, first)));
  double largest = 0.0;
  for (int k = 0; k < lanes && closest + k < block.nbin; ++k) {
    const double coupling = element[k] * block.far_scale[closest + k];
    largest = coupling > largest ? coupling : largest;
  }
  double scale = 0.0;
  for (int w = first; w < end; ++w)
    scale = block.scale[w] > scale ? block.scale[w] : scale;
  for (int w = first; w < end; ++w) block.far_coupling[w] = largest * scale;
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
    if (low <= -lanes || low >= block.nlag) continue;
    const Ints number = load_as<Ints>(lane_numbers) + low;
    const Ints inside = (number >= Ints{}) & (number < (Ints{} + block.nlag));
    for (int w = first; w < end; ++w) {
      const Floats sums = group.any_dots(w, float_weighted(shape, block, own, w));
      // What lies outside, of this row's neighbours, is written back as it was.
      float *to = block.cross + static_cast<ptrdiff_t>(w) * block.lag_stride + low;
      store(to, select(inside, Sign > 0 ? sums : reversed(sums), load(to)));
    }
  }
}

// Asks for the pixels that the stamps of bins [first, end) are the first to lie on.
// Inlined, because compilers leave out calls of functions that do nothing else.
SPECEX_INLINE void prefetch_pixels(const FiberBlock &block, int first, int end) {
  const Strip &strip = block.strip;
  const int last = block.nbin - 1;
  const ptrdiff_t corner = strip.corner(block.own, first < last ? first : last);
  const int rows =
      block.own.y0[end < last ? end : last] - block.own.y0[first < last ? first : last];
  for (ptrdiff_t r = 0; r < rows; ++r) {
    const ptrdiff_t at = corner + (block.layout.ny + r) * strip.stride;
    for (int k = 0; k < block.layout.row; k += lanes) {
      __builtin_prefetch(strip.weights + at + k);
      __builtin_prefetch(strip.values + at + k);
      __builtin_prefetch(strip.float_weights + at + k);
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
    prefetch_pixels(block, end, end + lanes);
    using Group = LagGroup<1, Shape, double>;
    Group groups[2] = {Group(shape), Group(shape)};
    static_assert(largest_spot_band < 2 * lanes);
    int ngroup = 0;
    while (ngroup < block.band_stride / lanes &&
           groups[ngroup].set(own, own, first, end, ngroup * lanes))
      ++ngroup;
    const bool masked = meets_masked(shape, block, first, end);
    for (int w = first; w < end; ++w)
      own_row(shape, block, groups, ngroup, w, own.stamp(w), masked);
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
      const Vector s = load_doubles(stamp + at);
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
    for (int k = first; k < end; k += lanes) total += load(a + k) * load_doubles(b + k);
  }
  return sum(total);
}

}  // namespace specex::SPECEX_ISA
