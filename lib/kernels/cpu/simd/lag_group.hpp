// SPDX-License-Identifier: BSD-3-Clause
//
// Products of a bin's stamp with the stamps of 8 consecutive bins, of its fibre or of
// another. Which rows two stamps share changes from bin to bin; for a few bins next to
// each other it hardly does. So each of the 8 takes the rows that it needs for any of
// those bins, one loop walks through all, and a row that is too many is the row of zeros
// between stamps. Where the geometry does not allow that, stamps are taken one by one.
#pragma once

#include "kernels/cpu/simd/stages.hpp"

namespace specex::SPECEX_ISA {

// The shape of stamps: one that is compiled for, or any.
template <int Blocks, int Rows>
struct Shape {
  static constexpr int blocks = Blocks;  // of 8 columns; 0 stands for any
  static constexpr int row = Blocks * lanes;
  static constexpr int ny = Rows;
  explicit Shape(const StampLayout &) {}
};
template <>
struct Shape<0, 0> {
  static constexpr int blocks = 0;
  int row;
  int ny;
  explicit Shape(const StampLayout &layout) : row(layout.row), ny(layout.ny) {}
};

// A fibre's stamps; those of bins from nbin on do not exist.
template <class T>
struct FiberView {
  const T *stamps;
  int mask;  // bin v is stamp v & mask
  int size;
  const int *x0;
  const int *y0;
  int nbin;
  const T *stamp(int v) const { return stamps + ptrdiff_t{v & mask} * size; }
};

using Ints = Lanes<int, lanes>::type;

// Lane k of the result is the sum of row k.
template <class V>
SPECEX_INLINE auto lane_sums(const V (&row)[8]) {
  if constexpr (lane_count < V >> lanes) {
    decltype(low_half(V{})) half[8];
    for (int k = 0; k < lanes; ++k) half[k] = low_half(row[k]) + high_half(row[k]);
    return sums(half);
  } else {
    return sums(row);
  }
}

// A row of a stamp: where it begins, from the stamp's and from its first pixel's place.
struct Row {
  ptrdiff_t stamp;
  ptrdiff_t pixel;
};

// A stamp times the weights of the pixels that it lies on.
template <class Shape, class T>
struct Weighted {
  Shape shape;
  const T *spot;
  const T *weights;
  ptrdiff_t stride;  // of pixels

  Row row(int r) const { return {ptrdiff_t{r} * shape.row, r * stride}; }
  SPECEX_INLINE void go_on(Row &at) const {
    at.stamp += shape.row;
    at.pixel += stride;
  }
  template <class V>
  SPECEX_INLINE V get(const Row &at, int i) const {
    const ptrdiff_t column = i * lane_count<V>;
    return load_as<V>(spot + at.stamp + column) * load_as<V>(weights + at.pixel + column);
  }
  Weighted from_column(int column) const {
    return {shape, spot + column, weights + column, stride};
  }
};

// Adds a * b[k] to total[k], k < Active.
template <int Active, class V, class T>
SPECEX_INLINE void add_products(Register<V> *total, const V &a, const T *const *b,
                                ptrdiff_t at) {
  if constexpr (is_pair<V>) {
    add_products<Active>(total, a.low, b, at);
    add_products<Active>(total, a.high, b, at + lane_count<V> / 2);
  } else {
    for (int k = 0; k < Active; ++k) total[k] += a * load_as<V>(b[k] + at);
  }
}

// The same with ours for a, over Count vectors of the rows before `end`.
// ours: a Weighted, or what looks like one.
template <class V, int Count, int Active, class Ours, class T>
SPECEX_INLINE void add_rows(Register<V> *total, const Ours &ours, const T *const *b,
                            Row &at, ptrdiff_t end) {
  for (; at.stamp < end; ours.go_on(at))
    for (int i = 0; i < Count; ++i)
      add_products<Active>(total, ours.template get<V>(at, i), b,
                           at.stamp + i * lane_count<V>);
}

// Where each k takes part from edge[k] on (Sign 1) or up to it (-1), rising or falling
// with k, and edge[8] is the last or the first row: rows are walked through once.
template <int Sign, class V, int Count, int Active = (Sign > 0 ? 1 : lanes), class Ours,
          class T>
SPECEX_INLINE void add_staggered(Register<V> (&total)[8], const Ours &ours,
                                 const T *const (&b)[8],
                                 const ptrdiff_t (&edge)[lanes + 1], Row &at) {
  add_rows<V, Count, Active>(total, ours, b, at, edge[Sign > 0 ? Active : Active - 1]);
  if constexpr (Active != (Sign > 0 ? lanes : 1))
    add_staggered<Sign, V, Count, Active + Sign>(total, ours, b, edge, at);
}

template <int Sign, class V, int Count, class Ours, class T>
SPECEX_INLINE auto staggered_sums(const Ours &ours, const T *const (&b)[8],
                                  const ptrdiff_t (&edge)[lanes + 1], Row at) {
  Register<V> total[8] = {};
  add_staggered<Sign, V, Count>(total, ours, b, edge, at);
  return lane_sums(total);
}

// The 8 bins at `offset` from each of ours, going up (Sign 1) or down (-1). Rows of both
// fibres rise, so each shares fewer rows with ours than the one before.
template <int Sign, class Shape, class T>
class LagGroup {
 public:
  using Eight = typename Lanes<T, lanes>::type;

  explicit LagGroup(const Shape &shape) : shape_(shape) {}

  // For our bins [first, end), at most 8. False where no rows are shared.
  bool set(const FiberView<T> &ours, const FiberView<T> &theirs, int first, int end,
           int offset) {
    ours_ = ours;
    theirs_ = theirs;
    offset_ = offset;
    lowest_ = first + offset - (Sign > 0 ? 0 : lanes - 1);
    const int highest = end - 1 + offset + (Sign > 0 ? lanes - 1 : 0);
    regular_ = lowest_ >= 0 && highest < theirs.nbin;
    return regular_ ? measure(first, end) : meets(first, end);
  }

  // Whether dots() holds for all of our bins; else they are to be had one_by_one().
  bool is_regular() const { return regular_; }
  // Products of our stamp of bin w, times the weights: `ours`, as add_rows() has it.
  template <class Ours>
  SPECEX_INLINE Eight dots(int w, const Ours &ours) const {
    const T *b[8];
    const T *const *origin = origin_ + (w + offset_ - lowest_);
    const ptrdiff_t shift = offset_of_row(ours_.y0[w]) - (aside_ < 0 ? aside_ : 0);
    for (int k = 0; k < lanes; ++k) b[k] = origin[Sign * k] + shift;
    const Row at = ours.row(first_row_);
    const int blocks = shared_blocks(aside_);
    if (blocks == 1) return staggered_sums<Sign, Eight, 1>(ours, b, edge_, at);
    if (blocks == 2) {
      if constexpr (sizeof(T) == sizeof(float))
        return staggered_sums<Sign, Wide, 1>(ours, b, edge_, at);
      else
        return staggered_sums<Sign, Eight, 2>(ours, b, edge_, at);
    }
    if (blocks == 3) return staggered_sums<Sign, Eight, 3>(ours, b, edge_, at);
    return staggered_sums<Sign, Eight, 4>(ours, b, edge_, at);
  }

  // Whichever holds; ours is the whole stamp.
  SPECEX_INLINE Eight any_dots(int w, const Weighted<Shape, T> &ours) const {
    return regular_ ? dots(w, ours.from_column(aside_ > 0 ? aside_ : 0))
                    : one_by_one(w, ours);
  }

  // The same one after the other, in the same order: the bits are the same.
  [[gnu::noinline]] Eight one_by_one(int w, const Weighted<Shape, T> &ours) const {
    Register<Eight> part[8] = {};
    Register<Wide> wide[8] = {};
    bool is_wide[8] = {};
    for (int k = 0; k < lanes; ++k) {
      const int v = w + offset_ + Sign * k;
      if (v < 0 || v >= theirs_.nbin) continue;
      const int aside = theirs_.x0[v] - ours_.x0[w];
      const int down = theirs_.y0[v] - ours_.y0[w];
      const Weighted<Shape, T> a = ours.from_column(aside > 0 ? aside : 0);
      const T *b = theirs_.stamp(v) - (aside < 0 ? aside : 0) - offset_of_row(down);
      Row at = a.row(down > 0 ? down : 0);
      const ptrdiff_t end = offset_of_row(shape_.ny + (down < 0 ? down : 0));
      const int blocks = shared_blocks(aside);
      if constexpr (sizeof(T) == sizeof(float))
        if (blocks == 2) {
          is_wide[k] = true;
          add_rows<Wide, 1, 1>(&wide[k], a, &b, at, end);
          continue;
        }
      for (; at.stamp < end; a.go_on(at))
        for (int i = 0; i < blocks; ++i)
          add_products<1>(&part[k], a.template get<Eight>(at, i), &b,
                          at.stamp + i * lanes);
    }
    T result[lanes];
    T of_wide[lanes];
    store(result, lane_sums(part));
    store(of_wide, lane_sums(wide));
    for (int k = 0; k < lanes; ++k)
      if (is_wide[k]) result[k] = of_wide[k];
    return load(result);
  }

 private:
  using Wide = typename Lanes<T, 2 * lanes>::type;

  ptrdiff_t offset_of_row(int y) const { return ptrdiff_t{y} * shape_.row; }

  int shared_blocks(int aside) const {
    return (shape_.row - (aside < 0 ? -aside : aside)) / lanes;
  }

  bool meets(int first, int end) const {
    for (int w = first; w < end; ++w) {
      const int v = w + offset_;
      if (v >= 0 && v < theirs_.nbin && Sign * (theirs_.y0[v] - ours_.y0[w]) < shape_.ny)
        return true;
    }
    return false;
  }

  bool measure(int first, int end) {
    const int ny = shape_.ny;
    aside_ = theirs_.x0[lowest_] - ours_.x0[first];
    Ints least = Ints{} + ny;
    Ints most = Ints{} - ny;
    Ints fits = Ints{} - 1;
    for (int w = first; w < end; ++w) {
      const int v = lowest_ + w - first;
      const Ints down = (load_as<Ints>(theirs_.y0 + v) - ours_.y0[w]) * Sign;
      least = select(down < least, down, least);
      most = select(down > most, down, most);
      fits &= load_as<Ints>(theirs_.x0 + v) == Ints{} + (ours_.x0[w] + aside_);
    }
    const Ints apart = select(least > Ints{}, least, Ints{});
    const Ints farthest = select(apart < Ints{} + ny, most, apart);
    fits &= (least >= Ints{} - 1) & (farthest <= apart + 1);
    const Ints edge = (Sign > 0 ? apart : ny - apart) * shape_.row;
    store_as(edge_, convert<Integers>(Sign > 0 ? edge : reversed(edge)));
    edge_[lanes] = Sign > 0 ? offset_of_row(ny) : 0;
    first_row_ = Sign > 0 ? apart[0] : 0;
    regular_ &= all(fits);
    const int blocks = shared_blocks(aside_);
    regular_ &= blocks >= 1 && blocks <= 4;
    for (int k = 0; k < end - first + lanes - 1; ++k)
      origin_[k] = theirs_.stamp(lowest_ + k) - offset_of_row(theirs_.y0[lowest_ + k]);
    return edge_[0] != (Sign > 0 ? offset_of_row(ny) : 0);
  }

  Shape shape_;
  FiberView<T> ours_{};
  FiberView<T> theirs_{};
  int offset_ = 0;
  // The 8 exist for all bins of ours, lie equally far aside, and no row beyond the zeros
  // is read.
  bool regular_ = false;
  int aside_ = 0;              // columns from our stamps to theirs
  int lowest_ = 0;             // of their bins
  int first_row_ = 0;          // that is shared
  ptrdiff_t edge_[lanes + 1];  // of the rows that each of the 8 shares
  // Where each of their stamps would have the image's row 0.
  const T *origin_[2 * lanes - 1];
};

}  // namespace specex::SPECEX_ISA
