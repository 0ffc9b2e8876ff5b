// SPDX-License-Identifier: BSD-3-Clause
//
// What LaneGroup does for pairs of fibres: the lags between them before, and each fibre's
// marginal matrix after they were eliminated.
#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdlib>

#include "base/stage_clock.hpp"
#include "kernels/cpu/lane_group.hpp"
#include "kernels/cpu/simd/half_band.hpp"
#include "kernels/shared/shortcut_bounds.hpp"

namespace specex {
namespace {

constexpr int width = simd::width;

size_t at(int64_t index) { return static_cast<size_t>(index); }

}  // namespace

// Of rows of a pair and the next: fibre i of the one and j of the other are 2 + j - i
// apart, and as many rows lie between them as 2 lags, and j - i.
void LaneGroup::find_pair_lags(const Piece &piece) {
  int first = INT_MAX;
  int last = INT_MIN;
  for (int apart = 1; apart <= 2; ++apart) {
    const Piece::Lags lags = piece.lags(apart);
    if (lags.empty()) continue;
    first = std::min(first, 2 * lags.lowest + apart - 2);
    last = std::max(last, 2 * lags.highest + apart - 2);
  }
  system_.first_lag = first <= last ? first : 0;
  system_.nlag = first <= last ? last - first + 1 : 0;
}

// Of what remains of each pair, either fibre is marginalised for the other: leaves the
// marginal matrices of all fibres in place of the system's band matrices.
void LaneGroup::separate_pairs() {
  const StageScope stage(SPECEX_STAGE_ELIMINATION);
  const int nbin = lanes_[0].patch->pad_nbin;
  const simd::BlockSystem pairs = system_;
  std::swap(band_, pair_band_);
  std::swap(flux_, pair_flux_);
  constexpr int half_band = simd::largest_fiber_band;
  constexpr int reach = simd::largest_half_band / 2;  // bins that a pair's band covers
  constexpr int nlag = 2 * reach + 2;
  const size_t pair_size = simd::band_matrix_size(pairs.nbin, pairs.half_band);
  const size_t size = simd::band_matrix_size(nbin, half_band);
  const size_t vector_size = at(nbin) * width;
  band_.resize(2 * at(pairs.nfiber) * size);
  flux_.resize(2 * at(pairs.nfiber) * vector_size + width * width);
  double *cross = cross_double_.resize(at(nbin) * nlag * width);
  simd::BlockSystem two{2,       nbin,    half_band, -reach - 1, nlag,
                        nullptr, nullptr, cross,     nullptr};
  int factor_band[2];
  int left_band[2];
  int right_band[2];
  const simd::Elimination elimination{
      half_band,
      factors_.data(),
      left_of_pair_.resize(2 * size),
      right_of_pair_.resize(2 * size),
      factor_band,
      left_band,
      right_band,
      scratch_.resize(kernels_.elimination_scratch(two, half_band))};
  for (int b = 0; b < pairs.nfiber; ++b) {
    const auto copy = [&](int u, int m, double *to) {
      std::fill_n(to, width, 0.0);
      if (u < 0 || m > pairs.half_band || u + m >= pairs.nbin) return;
      const size_t from = at(b) * pair_size + at(u * (pairs.half_band + 1) + m) * width;
      for (size_t k = 0; k < width; ++k) {
        to[k] = pair_band_.data()[from + k];
        if (b > 0) to[k] -= from_left_.data()[from + k];
        if (b + 1 < pairs.nfiber) to[k] -= from_right_.data()[from + k];
      }
    };
    double *band = band_.data() + 2 * at(b) * size;
    double *flux = flux_.data() + 2 * at(b) * vector_size;
    for (int w = 0; w < nbin; ++w) {
      for (int i = 0; i < 2; ++i) {
        const int u = 2 * w + i;
        for (int m = 0; m <= half_band; ++m)
          copy(u, 2 * m, band + at(i) * size + at(w * (half_band + 1) + m) * width);
        std::copy_n(pair_flux_.data() + at(b * pairs.nbin + u) * width, width,
                    flux + at(i) * vector_size + at(w) * width);
      }
      for (int l = 0; l < nlag; ++l) {
        const int apart = 2 * (two.first_lag + l) + 1;  // rows
        copy(2 * w + std::min(apart, 0), std::abs(apart),
             cross + at(w * nlag + l) * width);
      }
    }
    two.band = band;
    simd::Checks checks{};
    live_ &= static_cast<unsigned>(
        kernels_.eliminate(two, static_cast<int>(live_), elimination, checks));
    for_each_live([&](size_t lane) {
      if (!(std::sqrt(checks.truncation[lane]) <= max_truncation)) drop(lane);
    });
    for (size_t k = 0; k < size; ++k) {
      band[k] -= elimination.from_right[k];
      band[size + k] -= elimination.from_left[size + k];
    }
  }
  system_ = two;
  system_.nfiber = lanes_[0].patch->pad_nfiber;
  elimination_.widest = half_band;
  for (std::vector<int> *bands : {&left_band_, &right_band_})
    bands->assign(at(system_.nfiber), half_band);
}

}  // namespace specex
