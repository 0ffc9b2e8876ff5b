// SPDX-License-Identifier: BSD-3-Clause
//
// Up to 8 windows of a piece that have as many fibres and bins: one lane each. Cuts their
// normal equations from the piece's blocks, solves them together and leaves a Solution
// for each, or says which shortcut did not hold.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "kernels/cpu/piece.hpp"
#include "kernels/shared/finish.hpp"
#include "kernels/shared/patch_pixels.hpp"
#include "kernels/shared/rational_root.hpp"
#include "kernels/shared/windows.hpp"

namespace specex {

// One window in its lane.
struct Lane {
  const Window *window = nullptr;
  const specex_patch *patch = nullptr;
  BinSums sums{0};  // by PatchShape
  std::vector<bool> measured;
  Solution solution;
  bool solved = false;  // else another way is needed
};

class LaneGroup {
 public:
  LaneGroup(const Run &run, const simd::Kernels &kernels)
      : run_(run), kernels_(kernels) {}

  // windows: 1 to 8
  std::span<Lane> solve(const Piece &piece, std::span<const Window *const> windows);

 private:
  template <class Visit>
  void for_each_live(Visit &&visit);
  void drop(size_t lane) { live_ &= ~(1U << lane); }

  void cut(const Piece &piece);
  void gather(const Piece &piece);
  void apply_row_limits(const Piece &piece, size_t lane);
  void condition_lane(const Piece &piece, size_t lane);
  unsigned eliminate();
  void find_flux();
  void take_roots(const Piece &piece);
  std::array<size_t, simd::width> root_classes(const double *marginal, double *upper);
  void check_padding(int f, const double *marginal, const double *upper,
                     const RationalRoot &root, unsigned lanes);
  void store_roots(int i, int first, double scale, unsigned lanes);
  template <class To>
  void scatter(const double *from, int count, double scale, unsigned lanes, To &&to);

  double &band(int f, int w, int m, size_t lane);
  double &cross(int f, int w, int l, size_t lane);
  double &data(int f, int w, size_t lane);

  const Run &run_;
  const simd::Kernels &kernels_;
  std::array<Lane, simd::width> lanes_;
  size_t count_ = 0;
  simd::BlockSystem system_{};
  unsigned live_ = 0;  // lanes, as bits, that are being solved and whose shortcuts hold
  unsigned rounded_ = 0;  // lanes with sums over some rows, known to float precision
  std::array<double, simd::width> coupling_{};  // of neighbouring fibres, squared
  std::array<double, simd::width> light_{};     // of neighbouring fibres, in sigmas
  Aligned<double> band_, cross_, data_, flux_;
  simd::Elimination elimination_{};
  Aligned<double> factors_, from_left_, from_right_, scratch_, solve_scratch_;
  Aligned<double> marginal_, row_sum_, smoothed_, diagonals_, root_scratch_, weighted_,
      effect_, unwanted_;
};

}  // namespace specex
