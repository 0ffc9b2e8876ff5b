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

// The shape of stamps, where it is one that is compiled for: 0 stands for any.
template <int Blocks, int Rows>
struct Shape {
  static constexpr int blocks = Blocks;
  int row;
  int ny;
  explicit Shape(const StampLayout &layout)
      : row(Blocks > 0 ? Blocks * lanes : layout.row), ny(Rows > 0 ? Rows : layout.ny) {}
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
using WideFloats = Lanes<float, 2 * lanes>::type;

SPECEX_INLINE Vector fold(const Vector &a) { return a; }
SPECEX_INLINE Floats fold(const Floats &a) { return a; }
SPECEX_INLINE Floats fold(const WideFloats &a) { return low_half(a) + high_half(a); }

// Lane k of the result is the sum of the lanes of row k.
SPECEX_INLINE Vector lane_sums(const Vector (&row)[8]) { return sums(row); }
SPECEX_INLINE Vector lane_sums(const Floats (&row)[8]) {
  Vector wide[8];
  for (int k = 0; k < lanes; ++k) wide[k] = widen(row[k]);
  return sums(wide);
}

// Adds a * b[k] over rows [first, end) of Count vectors to total[k], k < Active.
template <int Count, int Active, class V, class T>
SPECEX_INLINE void add_rows(V *total, const T *a, const T *const *b, int first, int end,
                            ptrdiff_t row) {
  for (ptrdiff_t r = first; r < end; ++r)
    for (int i = 0; i < Count; ++i) {
      const ptrdiff_t at = r * row + i * lane_count<V>;
      const V ours = load_as<V>(a + at);
      for (int k = 0; k < Active; ++k) total[k] += ours * load_as<V>(b[k] + at);
    }
}

// Where each k takes part from row edge[k] on (Sign 1) or up to it (-1), rising or
// falling with k, and edge[8] is the last or the first row: rows are walked through once.
template <int Sign, int Count, int Active = (Sign > 0 ? 1 : lanes), class V, class T>
SPECEX_INLINE void add_staggered(V (&total)[8], const T *a, const T *const (&b)[8],
                                 const int (&edge)[lanes + 1], ptrdiff_t row) {
  const int near = edge[Active - 1];
  const int far = edge[Active];
  add_rows<Count, Active>(total, a, b, Sign > 0 ? near : far, Sign > 0 ? far : near, row);
  if constexpr (Active != (Sign > 0 ? lanes : 1))
    add_staggered<Sign, Count, Active + Sign>(total, a, b, edge, row);
}

template <int Sign, class V, int Count, class T>
SPECEX_INLINE Vector staggered_sums(const T *a, const T *const (&b)[8],
                                    const int (&edge)[lanes + 1], ptrdiff_t row) {
  V total[8] = {};
  add_staggered<Sign, Count>(total, a, b, edge, row);
  decltype(fold(V{})) folded[8];
  for (int k = 0; k < lanes; ++k) folded[k] = fold(total[k]);
  return lane_sums(folded);
}

// The 8 bins at `offset` from each of ours, going up (Sign 1) or down (-1). Rows of both
// fibres rise, so each shares fewer rows with ours than the one before.
template <int Sign, class Shape, class T>
class LagGroup {
 public:
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

  // Products of our stamp of bin w, times the weights.
  SPECEX_INLINE Vector dots(int w, const T *weighted) const {
    if (!regular_) return one_by_one(w, weighted);
    const T *a = weighted + (aside_ > 0 ? aside_ : 0);
    const T *b[8];
    const T *const *origin = origin_ + (w + offset_ - lowest_);
    const ptrdiff_t shift = offset_of_row(ours_.y0[w]) - (aside_ < 0 ? aside_ : 0);
    for (int k = 0; k < lanes; ++k) b[k] = origin[Sign * k] + shift;
    const int blocks = shared_blocks(aside_);
    if (blocks == 1) return staggered_sums<Sign, Part, 1>(a, b, edge_, shape_.row);
    if (blocks == 2) {
      if constexpr (sizeof(T) == sizeof(float))
        return staggered_sums<Sign, WideFloats, 1>(a, b, edge_, shape_.row);
      else
        return staggered_sums<Sign, Part, 2>(a, b, edge_, shape_.row);
    }
    if (blocks == 3) return staggered_sums<Sign, Part, 3>(a, b, edge_, shape_.row);
    return staggered_sums<Sign, Part, 4>(a, b, edge_, shape_.row);
  }

 private:
  using Part = decltype(load(static_cast<const T *>(nullptr)));

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
    Ints left = Ints{} + aside_;
    Ints right = Ints{} + aside_;
    for (int w = first; w < end; ++w) {
      const int v = lowest_ + w - first;
      const Ints down = (load_as<Ints>(theirs_.y0 + v) - ours_.y0[w]) * Sign;
      least = select(down < least, down, least);
      most = select(down > most, down, most);
      const Ints across = load_as<Ints>(theirs_.x0 + v) - ours_.x0[w];
      left = select(across < left, across, left);
      right = select(across > right, across, right);
    }
    edge_[lanes] = Sign > 0 ? ny : 0;
    for (int k = 0; k < lanes; ++k) {
      const int lane = Sign > 0 ? k : lanes - 1 - k;
      const int apart = least[lane] > 0 ? least[lane] : 0;
      edge_[k] = Sign > 0 ? apart : ny - apart;
      regular_ &= left[lane] == aside_ && right[lane] == aside_ && least[lane] >= -1 &&
                  (apart == ny || most[lane] <= apart + 1);
    }
    const int blocks = shared_blocks(aside_);
    regular_ &= blocks >= 1 && blocks <= 4;
    for (int k = 0; k < end - first + lanes - 1; ++k)
      origin_[k] = theirs_.stamp(lowest_ + k) - offset_of_row(theirs_.y0[lowest_ + k]);
    return edge_[0] != (Sign > 0 ? ny : 0);
  }

  // In the same order as together: the bits are the same.
  [[gnu::noinline]] Vector one_by_one(int w, const T *weighted) const {
    Part part[8] = {};
    for (int k = 0; k < lanes; ++k) {
      const int v = w + offset_ + Sign * k;
      if (v < 0 || v >= theirs_.nbin) continue;
      const int aside = theirs_.x0[v] - ours_.x0[w];
      const int down = theirs_.y0[v] - ours_.y0[w];
      const T *a = weighted + (aside > 0 ? aside : 0);
      const T *b = theirs_.stamp(v) - (aside < 0 ? aside : 0) - offset_of_row(down);
      const int first = down > 0 ? down : 0;
      const int end = shape_.ny + (down < 0 ? down : 0);
      const int blocks = shared_blocks(aside);
      if constexpr (sizeof(T) == sizeof(float))
        if (blocks == 2) {
          WideFloats total{};
          add_rows<1, 1>(&total, a, &b, first, end, shape_.row);
          part[k] = fold(total);
          continue;
        }
      for (ptrdiff_t r = first; r < end; ++r)
        for (int i = 0; i < blocks; ++i) {
          const ptrdiff_t at = r * shape_.row + i * lanes;
          part[k] += load(a + at) * load(b + at);
        }
    }
    return lane_sums(part);
  }

  Shape shape_;
  FiberView<T> ours_{};
  FiberView<T> theirs_{};
  int offset_ = 0;
  // The 8 exist for all bins of ours, lie equally far aside, and no row beyond the zeros
  // is read.
  bool regular_ = false;
  int aside_ = 0;             // columns from our stamps to theirs
  int lowest_ = 0;            // of their bins
  int edge_[lanes + 1] = {};  // of the rows that each of the 8 shares
  // Where each of their stamps would have the image's row 0.
  const T *origin_[2 * lanes - 1] = {};
};

}  // namespace specex::SPECEX_ISA
