// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/cpu/lane_group.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

#include "base/stage_clock.hpp"
#include "kernels/cpu/simd/half_band.hpp"
#include "kernels/shared/shortcut_bounds.hpp"

namespace specex {
namespace {

constexpr int width = simd::width;

constexpr double max_edge_share = 1e-12;

size_t at(int64_t index) { return static_cast<size_t>(index); }

}  // namespace

double &LaneGroup::band(int b, int u, int m, size_t lane) {
  return band_
      .data()[((at(b) * at(system_.nbin) + at(u)) * at(system_.half_band + 1) + at(m)) *
                  width +
              lane];
}

size_t LaneGroup::cross_place(int b, int u, int l, size_t lane) const {
  return ((at(b) * at(system_.nbin) + at(u)) * at(system_.nlag) + at(l)) * width + lane;
}

double &LaneGroup::data(int b, int u, size_t lane) {
  return data_.data()[(at(b) * at(system_.nbin) + at(u)) * width + lane];
}

std::span<Lane> LaneGroup::solve(Piece &piece, std::span<const Window *const> windows,
                                 Means means) {
  means_ = means;
  count_ = windows.size();
  for (size_t lane = 0; lane < width; ++lane) {  // idle lanes repeat the last window
    lanes_[lane].window = windows[std::min(lane, count_ - 1)];
    lanes_[lane].patch = &lanes_[lane].window->shape;
    lanes_[lane].means = means;
    lanes_[lane].solved = lanes_[lane].coupled = lanes_[lane].unfit = false;
  }
  const bool of_piece = means == Means::of_piece;
  rounding_ = of_piece ? 6e-8 : 0.0;
  rounded_ = 0;
  live_ = (1U << count_) - 1;
  system_.half_band = of_piece ? piece.half_band()
                      : means == Means::in_double
                          ? simd::half_band_for(simd::largest_spot_band + 1)
                          : simd::largest_half_band;
  elimination_.widest = of_piece                    ? simd::largest_spot_band
                        : means == Means::in_double ? simd::largest_fiber_band
                                                    : simd::largest_half_band;
  cut(piece);
  if (live_ != 0) eliminate();
  if (live_ != 0) find_flux();
  if (live_ != 0 && means == Means::in_pairs) separate_pairs();
  if (live_ != 0) take_roots(piece);
  for_each_live([&](size_t lane) { lanes_[lane].solved = true; });
  return {lanes_.data(), count_};
}

void LaneGroup::cut(Piece &piece) {
  const StageScope stage(SPECEX_STAGE_GATHER);
  const specex_patch &one = *lanes_[0].patch;
  system_.nfiber = block(one.pad_nfiber - 1) + 1;
  system_.nbin = one.pad_nbin * fibers_of_block();
  system_.first_lag = piece.first_lag();
  system_.nlag = piece.nlag();
  if (means_ == Means::in_pairs) find_pair_lags(piece);
  const size_t unknowns = at(system_.nfiber) * at(system_.nbin);
  // What is read is rounded up to 8 and written over by the next bin: leave room at the
  // end.
  band_.resize((unknowns * at(system_.half_band + 1) + width) * width);
  const size_t couplings = (unknowns * at(system_.nlag) + width) * width;
  if (means_ == Means::of_piece)
    cross_.resize(couplings);
  else
    cross_double_.resize(couplings);
  data_.resize((unknowns + width) * width);
  if (means_ == Means::of_piece) gather(piece);
  for_each_live([&](size_t lane) {
    if (means_ != Means::of_piece)
      sum_in_double(piece, lane);
    else if (neighbours_alone_matter(piece, *lanes_[lane].patch))
      sum_in_lane(piece, lane);
    else
      refuse_coupled(lane);
  });
  if (means_ == Means::of_piece) fill_conditioned(piece);
}

bool LaneGroup::neighbours_alone_matter(const Piece &piece,
                                        const specex_patch &patch) const {
  const int first_fiber = patch.pad_first_fiber - piece.shape().first_fiber;
  const int first_bin = patch.pad_first_bin - piece.shape().first_bin;
  for (int f = first_fiber; f < first_fiber + patch.pad_nfiber; ++f)
    for (int w = first_bin; w < first_bin + patch.pad_nbin; ++w)
      if (!(piece.far_coupling(f, w) <= max_far_coupling) ||
          !(piece.edge_share(f, w) <= max_edge_share))
        return false;
  return true;
}

void LaneGroup::sum_in_lane(const Piece &piece, size_t lane) {
  Lane &own = lanes_[lane];
  const PatchShape shape(*own.patch);
  own.sums.resize(at(shape.size()));
  const int first_fiber = own.patch->pad_first_fiber - piece.shape().first_fiber;
  const int first_bin = own.patch->pad_first_bin - piece.shape().first_bin;
  const auto nbin = at(shape.nbin);
  for (int f = 0; f < shape.nfiber; ++f) {
    const size_t q = at(f) * nbin;
    const int pf = first_fiber + f;
    std::copy_n(piece.data(pf, first_bin), nbin, &own.sums.data[q]);
    std::copy_n(piece.weight(pf, first_bin), nbin, &own.sums.weight[q]);
    std::copy_n(piece.masked(pf, first_bin), nbin, &own.sums.masked[q]);
    for (size_t w = 0; w < nbin; ++w) {
      const double diagonal = piece.band(pf, first_bin + static_cast<int>(w))[0];
      own.sums.diagonal[q + w] = diagonal;
      own.sums.usable[q + w] = diagonal > 0.0 ? 1.0 - own.sums.masked[q + w] : 0.0;
    }
  }
  apply_row_limits(piece, lane);
  condition_lane(piece, lane);
}

void LaneGroup::sum_in_double(Piece &piece, size_t lane) {
  Lane &own = lanes_[lane];
  const PatchShape shape(*own.patch);
  OwnEquations equations(piece.run(), *own.patch, piece.spots(*own.patch));
  if (!fill_in_double(shape, equations.normal, piece.weight_scale(), lane))
    refuse_coupled(lane);
  own.sums = std::move(equations.normal.sums);
  own.measured = std::move(equations.measured);
}

// False where elements matter that a lane has no room for.
bool LaneGroup::fill_in_double(const PatchShape &shape, const NormalEquations &normal,
                               double scale, size_t lane) {
  for (int b = 0; b < system_.nfiber; ++b)
    for (int u = 0; u < system_.nbin; ++u) {
      // 1 for a last fibre that has none to pair with.
      for (int m = 0; m <= system_.half_band; ++m) band(b, u, m, lane) = m == 0;
      for (int l = 0; l < system_.nlag; ++l)
        cross_double_.data()[cross_place(b, u, l, lane)] = 0.0;
      data(b, u, lane) = 0.0;
    }
  const auto index = [&](int f, int w) { return at(f * shape.nbin + w); };
  for (int f = 0; f < shape.nfiber; ++f)
    for (int w = 0; w < shape.nbin; ++w)
      data(block(f), row(f, w), lane) = normal.sums.data[index(f, w)] * std::sqrt(scale);
  bool held = true;
  normal.for_each_element(shape, [&](int f, int w, int g, int v, double value) {
    const int b = block(f);
    const int apart = row(g, v) - row(f, w);
    const int lag = apart - system_.first_lag;
    if (block(g) == b && std::abs(apart) <= system_.half_band) {
      band(b, std::min(row(f, w), row(g, v)), std::abs(apart), lane) = value * scale;
    } else if (block(g) == b + 1 && lag >= 0 && lag < system_.nlag) {
      cross_double_.data()[cross_place(b, row(f, w), lag, lane)] = value * scale;
    } else {
      const double diagonal =
          normal.sums.diagonal[index(f, w)] * normal.sums.diagonal[index(g, v)];
      held = held && std::fabs(value) <= max_far_coupling * std::sqrt(diagonal);
    }
  });
  return held;
}

void LaneGroup::gather(const Piece &piece) {
  const auto band_size = at(system_.half_band + 1);
  const auto nlag = at(system_.nlag);
  double *band = band_.data();
  float *cross = cross_.data();
  const double *bands[width];
  const float *couplings[width];
  const auto find = [&](auto &from, int f, int w, auto &&row_of) {
    for (size_t lane = 0; lane < width; ++lane) {
      const specex_patch &patch = *lanes_[lane].patch;
      from[lane] = row_of(patch.pad_first_fiber - piece.shape().first_fiber + f,
                          patch.pad_first_bin - piece.shape().first_bin + w);
    }
  };
  size_t q = 0;
  for (int f = 0; f < system_.nfiber; ++f)
    for (int w = 0; w < system_.nbin; ++w, ++q) {
      find(bands, f, w, [&](int pf, int pw) { return piece.band(pf, pw); });
      double *to = band + q * band_size * width;
      kernels_.interleave(bands, piece.half_band() + 1, to);
      // Bins beyond the window are no part of it.
      for (int m = std::min(piece.half_band() + 1, system_.nbin - w);
           m <= system_.half_band; ++m)
        std::fill_n(to + at(m) * width, width, 0.0);
      if (f + 1 == system_.nfiber || nlag == 0) continue;
      find(couplings, f, w, [&](int pf, int pw) { return piece.cross(pf, pw); });
      kernels_.interleave_floats(couplings, static_cast<int>(nlag),
                                 cross + q * nlag * width);
    }
}

// A patch may use fewer rows than its padding's spots cover (pixpad_frac): what those
// spots contribute is summed again over the rows that count.
void LaneGroup::apply_row_limits(const Piece &piece, size_t lane) {
  Lane &own = lanes_[lane];
  const specex_patch &patch = *own.patch;
  const simd::StampLayout &layout = piece.layout();
  const int first_fiber = patch.pad_first_fiber - piece.shape().first_fiber;
  const int first_bin = patch.pad_first_bin - piece.shape().first_bin;
  const int nbin = system_.nbin;
  double *weighted = weighted_.resize(at(layout.size));
  const auto is_cut = [&](int y0) {
    return y0 < patch.ymin || y0 + layout.ny > patch.ymax;
  };

  for (int f = 0; f < system_.nfiber; ++f)
    for (int w = 0; w < nbin; ++w) {
      const int pf = first_fiber + f;
      const int pw = first_bin + w;
      const int y0 = piece.y0(pf, pw);
      if (!is_cut(y0)) continue;
      rounded_ |= 1U << lane;
      const int first_row = std::clamp(patch.ymin - y0, 0, layout.ny);
      const int end_row = std::clamp(patch.ymax - y0, first_row, layout.ny);
      const simd::StampSums sums =
          kernels_.weigh_stamp(layout, piece.strip(), piece.stamp(pf, pw),
                               piece.x0(pf, pw), y0, first_row, end_row, weighted);
      const auto with = [&](int g, int v) {
        return kernels_.overlap_stamps(layout, weighted, piece.stamp(g, v),
                                       piece.x0(g, v) - piece.x0(pf, pw),
                                       piece.y0(g, v) - y0, first_row, end_row);
      };
      // Rows that both stamps have and that this patch leaves out.
      const auto shares_cut_rows = [&](int other_y0) {
        const int low = std::max(y0, other_y0);
        const int high = std::min(y0, other_y0) + layout.ny;
        return low < high && (low < patch.ymin || high > patch.ymax);
      };
      for (int m = 0; m <= piece.half_band() && w + m < nbin; ++m)
        if (shares_cut_rows(piece.y0(pf, pw + m))) band(f, w, m, lane) = with(pf, pw + m);
      if (f + 1 < system_.nfiber)
        for (int l = 0; l < system_.nlag; ++l) {
          const int v = w + system_.first_lag + l;
          if (v >= 0 && v < nbin && shares_cut_rows(piece.y0(pf + 1, first_bin + v)))
            cross_.data()[cross_place(f, w, l, lane)] =
                static_cast<float>(with(pf + 1, first_bin + v));
        }
      const size_t q = at(f * nbin + w);
      own.sums.diagonal[q] = band(f, w, 0, lane);
      own.sums.data[q] = sums.data;
      own.sums.weight[q] = sums.weight;
      own.sums.usable[q] = sums.usable;
    }
}

void LaneGroup::condition_lane(const Piece &piece, size_t lane) {
  Lane &own = lanes_[lane];
  const double scale = piece.weight_scale();
  const size_t n = own.sums.data.size();
  // The rules are in the caller's units.
  if (scale != 1.0)
    for (size_t q = 0; q < n; ++q) {
      own.sums.weight[q] /= scale;
      own.sums.diagonal[q] /= scale;
    }
  own.measured = condition(piece.run().rules, own.sums);
  const int nbin = system_.nbin;
  for (int f = 0; f < system_.nfiber; ++f)
    for (int w = 0; w < nbin; ++w) {
      const size_t q = at(f * nbin + w);
      if (own.measured[q]) continue;
      own.sums.data[q] = 0.0;
      for (int m = 1; m <= system_.half_band; ++m) {
        band(f, w, m, lane) = 0.0;
        if (w >= m) band(f, w - m, m, lane) = 0.0;
      }
      for (int l = 0; l < system_.nlag; ++l) {
        cross_.data()[cross_place(f, w, l, lane)] = 0.0F;
        const int v = w - system_.first_lag - l;
        if (f > 0 && v >= 0 && v < nbin)
          cross_.data()[cross_place(f - 1, v, l, lane)] = 0.0F;
      }
    }
}

// The data and the diagonal as they were conditioned, of all lanes side by side.
void LaneGroup::fill_conditioned(const Piece &piece) {
  // With the weights' scale, flux is in units of its root: what is checked of it is in
  // standard deviations.
  const double scale = piece.weight_scale();
  const double root_scale = std::sqrt(1.0 / scale);
  const size_t unknowns = at(system_.nfiber) * at(system_.nbin);
  const size_t column = at(system_.half_band + 1) * width;
  for (size_t q = 0; q < unknowns; ++q)
    for_each_live([&](size_t lane) {
      const BinSums &sums = lanes_[lane].sums;
      data_.data()[q * width + lane] = sums.data[q] * root_scale;
      band_.data()[q * column + lane] = sums.diagonal[q] * scale;
    });
}

void LaneGroup::eliminate() {
  const StageScope stage(SPECEX_STAGE_ELIMINATION);
  // Idle lanes need numbers that are defined: those of a live one.
  const size_t unknowns = at(system_.nfiber) * at(system_.nbin);
  const auto model = static_cast<size_t>(std::countr_zero(live_));
  const auto fill_idle = [&](auto *array, size_t groups) {
    for (size_t k = 0; k < groups; ++k)
      for (size_t lane = 0; lane < width; ++lane)
        if (!has_lane(live_, lane)) array[k * width + lane] = array[k * width + model];
  };
  if (live_ != (1U << width) - 1) {
    fill_idle(band_.data(), unknowns * at(system_.half_band + 1));
    if (means_ == Means::of_piece)
      fill_idle(cross_.data(), unknowns * at(system_.nlag));
    else
      fill_idle(cross_double_.data(), unknowns * at(system_.nlag));
    fill_idle(data_.data(), unknowns);
  }

  system_.band = band_.data();
  system_.cross = cross_.data();
  system_.cross_double = cross_double_.data();
  system_.data = data_.data();
  const int widest = elimination_.widest;
  const size_t matrices =
      at(system_.nfiber) * simd::band_matrix_size(system_.nbin, widest);
  for (std::vector<int> *band : {&factor_band_, &left_band_, &right_band_})
    band->resize(at(system_.nfiber));
  elimination_ = {
      widest,
      factors_.resize(at(system_.nfiber) * kernels_.factor_size(system_.nbin, widest)),
      from_left_.resize(matrices),
      from_right_.resize(matrices),
      factor_band_.data(),
      left_band_.data(),
      right_band_.data(),
      scratch_.resize(kernels_.elimination_scratch(system_, widest))};
  simd::Checks checks{};
  live_ &= static_cast<unsigned>(
      kernels_.eliminate(system_, static_cast<int>(live_), elimination_, checks));
  for_each_live([&](size_t lane) {
    coupling_[lane] = checks.coupling[lane];
    if (!(std::sqrt(checks.truncation[lane]) <= max_truncation)) drop(lane);
  });
}

void LaneGroup::find_flux() {
  const StageScope stage(SPECEX_STAGE_FLUX);
  const size_t unknowns = at(system_.nfiber) * at(system_.nbin);
  simd::Checks checks{};
  kernels_.solve_flux(system_, elimination_, flux_.resize((unknowns + width) * width),
                      solve_scratch_.resize(3 * unknowns * width), checks);
  for_each_live([&](size_t lane) {
    if (!(checks.residual[lane] <= max_residual * max_residual)) drop(lane);
    light_[lane] = std::sqrt(checks.light[lane]);
  });
}

}  // namespace specex
