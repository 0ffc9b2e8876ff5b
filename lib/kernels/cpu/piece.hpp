// SPDX-License-Identifier: BSD-3-Clause
//
// The unit of work of the vector engine: the fibres of one bundle over a run of bins, and
// up to 8 steps of patches within it, which become the lanes of the algebra. A piece
// evaluates each spot once and forms the blocks of the normal equations of all its
// patches at once; what is per patch is cut from them.
#pragma once

#include <vector>

#include "kernels/backend.hpp"
#include "kernels/cpu/aligned.hpp"
#include "kernels/cpu/kept_spots.hpp"
#include "kernels/cpu/piece_shape.hpp"
#include "kernels/cpu/simd/kernels.hpp"
#include "kernels/shared/gauss_hermite_spots.hpp"
#include "kernels/shared/spot_table.hpp"

namespace specex {

class Piece {
 public:
  explicit Piece(const simd::Kernels &kernels) : kernels_(kernels) {}

  // False where the geometry is not one that the vector kernels handle (traces that do
  // not rise, spots that overlap too many bins or fibres): such patches are solved
  // otherwise, and so are PSFs that are not Gauss-Hermite. Spots that are kept of this
  // piece, by its number, are not evaluated again.
  bool prepare(const Run &run, const PieceShape &shape, KeptSpots &kept_spots,
               size_t number);

  const Run &run() const { return *run_; }
  const PieceShape &shape() const { return shape_; }
  const simd::StampLayout &layout() const { return layout_; }
  const simd::Strip &strip() const { return strip_; }
  double weight_scale() const { return weight_scale_; }

  int half_band() const { return half_band_; }  // that the kernels are used with
  // What lies between bins of a fibre and of the next (1) or the one after that (2) whose
  // stamps share rows. None do where it is empty.
  struct Lags {
    int lowest;
    int highest;

    bool empty() const { return lowest > highest; }
  };
  Lags lags(int apart) const { return lags_[apart - 1]; }
  int first_lag() const { return lags(1).empty() ? 0 : lags(1).lowest; }
  int nlag() const { return lags(1).empty() ? 0 : lags(1).highest - lags(1).lowest + 1; }

  // By fibre and bin of the piece, counted from its first.
  int x0(int f, int w) const { return x0_[index(f, w)]; }
  int y0(int f, int w) const { return y0_[index(f, w)]; }
  // Consecutive bins from w on.
  const int *x0s(int f, int w) const { return &x0_[index(f, w)]; }
  const int *y0s(int f, int w) const { return &y0_[index(f, w)]; }
  const float *stamp(int f, int w) const {
    return kept_.data() + layout_.row + index(f, w) * static_cast<size_t>(layout_.size);
  }
  const double *band(int f, int w) const {
    return band_.data() + index(f, w) * band_stride();
  }
  const float *cross(int f, int w) const {
    return cross_.data() + simd::width + index(f, w) * lag_stride();
  }
  size_t band_stride() const { return static_cast<size_t>(band_stride_); }
  size_t lag_stride() const { return static_cast<size_t>(lag_stride_); }
  const double *data(int f, int w) const { return &data_[index(f, w)]; }
  const double *weight(int f, int w) const { return &weight_[index(f, w)]; }
  const double *masked(int f, int w) const { return &masked_[index(f, w)]; }
  // The spots of a patch in it, in double precision.
  SpotTable spots(const specex_patch &patch);
  double far_coupling(int f, int w) const { return far_coupling_[index(f, w)]; }
  double edge_share(int f, int w) const { return edge_share_[index(f, w)]; }

 private:
  size_t index(int f, int w) const {
    return static_cast<size_t>(f) * static_cast<size_t>(shape_.nbin) +
           static_cast<size_t>(w);
  }

  void make_bases();
  void load_fiber(int f);
  void find_corners();
  bool find_bands();
  void find_edges();
  bool fill_strip();
  simd::FiberStamps stamps_of(int f) const;
  void form_blocks();
  void form_rows(int f, int end);
  template <class Slot>
  void fill_batch(int f, int first, Slot &&slot);

  const Run *run_ = nullptr;
  const simd::Kernels &kernels_;
  const GaussHermiteSpots *model_ = nullptr;  // of the run
  PieceShape shape_{};
  simd::StampLayout layout_{};
  int half_band_ = 0;
  int band_stride_ = 0;
  Lags lags_[2];
  int lag_stride_ = 0;
  int lead_ = 0;       // bins that a fibre's stamps must be ahead of the one before
  int ring_bins_ = 0;  // of each fibre, in double precision: half a band and a batch
  std::vector<int> evaluated_;  // bins, of each fibre
  KeptSpots::Part *kept_spots_ = nullptr;
  double weight_scale_ = 1.0;  // weights are multiplied by it: a power of 2

  // Legendre polynomials at the piece's bins
  LegendreBasis xbasis_, ybasis_, shape_basis_;
  simd::FiberBases bases_{};
  simd::FiberPsf fiber_psf_{};
  std::vector<double> terms_, tail_;

  std::vector<int> corner_x_, x0_, y0_, left_x_, right_x_;
  struct Columns {
    int low;
    int high;
  };
  std::vector<Columns> columns_;  // of each fibre's corners
  Aligned<double> strip_values_, strip_weights_;
  Aligned<float> strip_float_weights_;
  simd::Strip strip_{};

  Aligned<double> ring_, stamps_, spot_scratch_;
  Aligned<float> kept_, cross_;
  Aligned<double> band_;
  std::vector<double> data_, weight_, masked_, scale_, far_coupling_, edge_share_;
};

}  // namespace specex
