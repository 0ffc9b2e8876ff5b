// SPDX-License-Identifier: BSD-3-Clause
//
// Up to 8 windows of a piece that have as many fibres and bins: one lane each. Cuts their
// normal equations from the piece's blocks, or has them made anew, solves them together
// and leaves a Solution for each, or says what did not hold.
#pragma once

#include <array>
#include <span>
#include <vector>

#include "kernels/cpu/normal_equations.hpp"
#include "kernels/cpu/piece.hpp"
#include "kernels/shared/finish.hpp"
#include "kernels/shared/patch_pixels.hpp"
#include "kernels/shared/rational_root.hpp"
#include "kernels/shared/windows.hpp"

namespace specex {

// By what windows are solved: the products of spots that the piece holds for all of its
// windows, of which the coupling of fibres is known to float precision; a window's own,
// which take longer; or those, with fibres in pairs, because the fibre after the next is
// coupled, too. Fibres of a pair take turns in the rows of one block of the system.
enum class Means { of_piece, in_double, in_pairs };

// One window in its lane.
struct Lane {
  const Window *window = nullptr;
  const specex_patch *patch = nullptr;
  BinSums sums{0};  // by PatchShape
  std::vector<bool> measured;
  Solution solution;
  Means means = Means::of_piece;  // that it was to be solved by
  bool solved = false;
  // Where it is not, for a reason that in_double does not cure:
  bool coupled = false;  // fibres that are not neighbours are; in_pairs may do
  bool unfit = false;    // nothing that is done in lanes will
};

// Sets of lanes are bits.
inline bool has_lane(unsigned lanes, size_t lane) { return (lanes >> lane & 1) != 0; }

class LaneGroup {
 public:
  explicit LaneGroup(const simd::Kernels &kernels) : kernels_(kernels) {}

  // windows: 1 to 8
  std::span<Lane> solve(Piece &piece, std::span<const Window *const> windows,
                        Means means);

 private:
  template <class Visit>
  void for_each_live(Visit &&visit) const {
    for (size_t lane = 0; lane < count_; ++lane)
      if (has_lane(live_, lane)) visit(lane);
  }
  template <class Visit>
  void for_each_slot(Visit &&visit) const {
    for (size_t slot = 0; slot < nslot_; ++slot)
      if (has_lane(live_, slots_[slot].lane)) visit(slot, slots_[slot].lane);
  }
  void refuse(size_t lane) {
    lanes_[lane].unfit = true;
    drop(lane);
  }
  void refuse_coupled(size_t lane) {
    (means_ == Means::in_pairs ? lanes_[lane].unfit : lanes_[lane].coupled) = true;
    drop(lane);
  }
  void drop(size_t lane) { live_ &= ~(1U << lane); }

  void cut(Piece &piece);
  void find_pair_lags(const Piece &piece);
  bool neighbours_alone_matter(const Piece &piece, const specex_patch &patch) const;
  void gather(const Piece &piece);
  void sum_in_lane(const Piece &piece, size_t lane);
  void sum_in_double(Piece &piece, size_t lane);
  bool fill_in_double(const PatchShape &shape, const NormalEquations &normal,
                      double scale, size_t lane);
  void apply_row_limits(const Piece &piece, size_t lane);
  void condition_lane(const Piece &piece, size_t lane);
  void fill_conditioned(const Piece &piece);
  void eliminate();
  void find_flux();
  void separate_pairs();
  void take_roots(const Piece &piece);
  template <size_t Step>
  void load_fiber(int f, size_t from, size_t to);
  void load_slots(int i, int group, unsigned lanes);
  using Classes = std::array<size_t, simd::width>;  // of rational_roots(), by slot
  Classes root_classes(double *upper);
  void check_padding(const double *upper, const Classes &classes);
  simd::Poles poles_of(const Classes &classes);
  void store_roots(int first, double scale);
  template <class To>
  void scatter(const double *from, int count, double scale, To &&to);

  int fibers_of_block() const { return means_ == Means::in_pairs ? 2 : 1; }
  int block(int f) const { return f / fibers_of_block(); }
  int row(int f, int w) const { return w * fibers_of_block() + f % fibers_of_block(); }
  // Of a lane, by block and row.
  double &band(int b, int u, int m, size_t lane);
  size_t cross_place(int b, int u, int l, size_t lane) const;
  double &data(int b, int u, size_t lane);

  const simd::Kernels &kernels_;
  std::array<Lane, simd::width> lanes_;
  size_t count_ = 0;
  Means means_ = Means::of_piece;
  simd::BlockSystem system_{};
  unsigned live_ = 0;  // lanes, as bits, that are being solved and whose shortcuts hold
  double rounding_ = 0.0;  // of the coupling of fibres, relative
  unsigned rounded_ = 0;   // lanes with sums over some rows, known to float precision
  std::array<double, simd::width> coupling_{};  // of neighbouring fibres, squared
  std::array<double, simd::width> light_{};     // of neighbouring fibres, in sigmas
  Aligned<double> band_, cross_double_, data_, flux_;
  Aligned<float> cross_;
  simd::Elimination elimination_{};
  Aligned<double> factors_, from_left_, from_right_, scratch_, solve_scratch_;
  std::vector<int> factor_band_, left_band_, right_band_;
  Aligned<double> pair_band_, pair_flux_, left_of_pair_, right_of_pair_;
  // A lane of a core fibre, where its root is taken: roots do not wait for each other.
  struct Slot {
    int fiber;
    size_t lane;
  };
  std::array<Slot, simd::width> slots_{};
  size_t nslot_ = 0;
  int root_band_ = 0;  // of their matrices
  Aligned<double> marginal_, no_matrix_, slot_flux_, pole_shift_, pole_weight_, row_sum_,
      smoothed_, diagonals_, root_scratch_, weighted_, effect_, unwanted_;
};

}  // namespace specex
