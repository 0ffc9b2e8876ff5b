// SPDX-License-Identifier: BSD-3-Clause
//
// Where the numbers of a fibre are, and the elements of the couplings of neighbouring
// ones.
#pragma once

#include "kernels/cpu/simd/band_factor.hpp"

namespace specex::SPECEX_ISA {

template <class T>
constexpr const T *cross_of(const BlockSystem &system) {
  if constexpr (sizeof(T) == sizeof(float))
    return system.cross;
  else
    return system.cross_double;
}

// In which the couplings of systems with a half band are.
template <bool Single>
struct NumberIf {
  using type = double;
};
template <>
struct NumberIf<true> {
  using type = float;
};
template <int Band>
using CouplingNumber = typename NumberIf<(Band <= largest_spot_band)>::type;

// The numbers of fibre f, where each has as many.
template <class T>
T *of_fiber(T *numbers, int f, size_t size) {
  return numbers + static_cast<size_t>(f) * size;
}

// Each is [row][nlag][8], with rows of a fibre and columns of the next.
template <class T>
class Couplings {
 public:
  explicit Couplings(const BlockSystem &system)
      : cross_(cross_of<T>(system)),
        nbin_(system.nbin),
        first_lag_(system.first_lag),
        nlag_(system.nlag) {}

  // Of fibre f and the next: elements follow each other. The first is that of column
  // first_column().
  const T *row(int f, int row) const {
    return cross_ + (ptrdiff_t{f} * nbin_ + row) * nlag_ * lanes;
  }
  int first_column(int row) const { return row + first_lag_; }
  // Its first element, that of first_row(), even where there is no such row;
  // `column_step()` from each to the next.
  const T *column(int f, int column) const {
    return row(f, first_row(column)) + column_step();
  }
  int first_row(int column) const { return column - (first_lag_ + nlag_ - 1); }
  ptrdiff_t column_step() const { return nlag_ > 0 ? ptrdiff_t{nlag_ - 1} * lanes : 0; }

  // Of `nlag` bins from the first on, those that exist.
  struct Range {
    int first;
    int end;
  };
  Range existing(int bin) const {
    return {bin < 0 ? -bin : 0, bin + nlag_ > nbin_ ? nbin_ - bin : nlag_};
  }

 private:
  const T *cross_;
  int nbin_;
  int first_lag_;
  int nlag_;
};

}  // namespace specex::SPECEX_ISA
