// SPDX-License-Identifier: BSD-3-Clause
//
// The second half of LaneGroup: roots of the marginal matrices. Those of different fibres
// do not wait for each other, so that lanes which are not needed for windows take fibres.
#include <algorithm>
#include <bit>
#include <cmath>

#include "base/stage_clock.hpp"
#include "kernels/cpu/lane_group.hpp"
#include "kernels/cpu/simd/half_band.hpp"
#include "kernels/shared/shortcut_bounds.hpp"

namespace specex {
namespace {

constexpr int width = simd::width;

// Bounds of what errors in the coupling of fibres may do, some 100 times what is found.
constexpr double max_matrix_error = 1e-7;
constexpr double max_light_error = 1e-5;
constexpr double max_row_error = 2e-3;  // of bins in the padding
// Of a spectrum's upper end, beyond which poles would leave the range of doubles.
constexpr double most_extreme = 1e150;

size_t at(int64_t index) { return static_cast<size_t>(index); }

}  // namespace

// The marginal matrix of a fibre and its flux, every Step'th lane from `from` on: into
// lanes from `to` on.
template <size_t Step>
void LaneGroup::load_fiber(int f, size_t from, size_t to) {
  // A matrix whose rows are read one after the other.
  struct Rows {
    const double *row;
    size_t size;  // of a row
    size_t step;  // to the next
    void go_on() { row += step; }
  };
  const bool separated = means_ == Means::in_pairs;  // band_ has what is marginal
  const size_t row_size = at(root_band_ + 1) * width;
  const auto rows = [&](const Aligned<double> &matrices, int room, int half_band) {
    const size_t size = at(half_band + 1) * width;
    return Rows{matrices.data() + at(f) * simd::band_matrix_size(system_.nbin, room),
                size, size};
  };
  const auto taken = [&](bool any, const Aligned<double> &matrices,
                         const std::vector<int> &bands) {
    return any && !separated ? rows(matrices, elimination_.widest, bands[at(f)])
                             : Rows{no_matrix_.data(), row_size, 0};
  };
  std::fill_n(no_matrix_.resize(row_size), row_size, 0.0);
  Rows own = rows(band_, system_.half_band, system_.half_band);
  Rows left = taken(f > 0, from_left_, left_band_);
  Rows right = taken(f + 1 < system_.nfiber, from_right_, right_band_);
  double *row = marginal_.data() + to;
  for (int w = 0; w < system_.nbin; ++w, row += row_size) {
    for (size_t k = 0; k < own.size; k += Step)
      row[k] = own.row[k + from] - left.row[k + from] - right.row[k + from];
    for (size_t k = own.size; k < row_size; k += Step)
      row[k] = -(k < left.size ? left.row[k + from] : 0.0) -
               (k < right.size ? right.row[k + from] : 0.0);
    for (Rows *each : {&own, &left, &right}) each->go_on();
  }
  const size_t vector_size = at(system_.nbin) * width;
  const double *flux = flux_.data() + at(f) * vector_size;
  for (size_t k = 0; k < vector_size; k += Step)
    slot_flux_.data()[k + to] = flux[k + from];
}

// The marginal matrices of core fibre i; where few lanes are left, of `group` fibres from
// i on, side by side.
void LaneGroup::load_slots(int i, int group, unsigned lanes) {
  const int core_fiber = PatchShape(*lanes_[0].patch).core_fiber;
  nslot_ = 0;
  for (int g = 0; g < group && i + g < lanes_[0].patch->nfiber; ++g)
    for (size_t lane = 0; lane < count_; ++lane)
      if (group == 1 || has_lane(lanes, lane)) slots_[nslot_++] = {i + g, lane};
  for (size_t k = nslot_; k < width; ++k) slots_[k] = slots_[nslot_ - 1];
  root_band_ = system_.half_band;
  for (const Slot &slot : slots_) {
    const size_t f = at(core_fiber + slot.fiber);
    root_band_ = std::max({root_band_, left_band_[f], right_band_[f]});
  }
  if (group == 1)
    load_fiber<1>(core_fiber + i, 0, 0);
  else
    for (size_t k = 0; k < width; ++k)
      load_fiber<width>(core_fiber + slots_[k].fiber, slots_[k].lane, k);
}

// For each slot the first of rational_roots() whose interval holds its spectrum,
// certified by a factorisation of S - upper / kappa. Lanes that no interval holds are
// dropped, and those whose condition is too much for how well the coupling is known.
LaneGroup::Classes LaneGroup::root_classes(double *upper) {
  const auto &roots = rational_roots();
  const int nbin = system_.nbin;
  kernels_.bound_spectrum(nbin, root_band_, marginal_.data(), upper);
  Classes classes{};
  for_each_slot([&](size_t slot, size_t lane) {
    if (!(upper[slot] >= 1.0 / most_extreme && upper[slot] <= most_extreme)) refuse(lane);
  });
  unsigned open = 0;  // slots
  for_each_slot([&](size_t slot, size_t) { open |= 1U << slot; });
  for (size_t k = 0; k < roots.size() && open != 0; ++k) {
    double shift[width];
    for (size_t slot = 0; slot < width; ++slot)
      shift[slot] = upper[slot] / roots[k].kappa;
    const auto positive = static_cast<unsigned>(kernels_.positive_above(
        nbin, root_band_, marginal_.data(), shift, root_scratch_.data()));
    for_each_slot([&](size_t slot, size_t lane) {
      if (!has_lane(open & positive, slot)) return;
      classes[slot] = k;
      // Errors grow with the condition: those of S in proportion, those of Q f with its
      // root.
      const double rounded = has_lane(rounded_, lane) ? 1.0 : 0.0;
      if (!(rounding_ * rounded * roots[k].kappa <= max_row_error) ||
          !(rounding_ * coupling_[lane] * roots[k].kappa <= max_matrix_error) ||
          !(rounding_ * light_[lane] * std::sqrt(roots[k].kappa) <= max_light_error))
        drop(lane);
    });
    open &= ~positive;
  }
  for_each_slot([&](size_t slot, size_t lane) {
    if (has_lane(open, slot)) drop(lane);
  });
  return classes;
}

// What a cut changes in the core, in standard deviations: as if the flux of the bins
// beyond it were that of the bins before it, and all of their light fell across. An error
// r in the normal equations is one of S^-1/2 r in Q f; the pole closest to the spectrum
// is what reaches farthest of S^-1/2 = sum_k w_k (S + a_k)^-1. It fades with the distance
// from the cut: the core's bins that are next to it stand for all.
void LaneGroup::check_padding(const double *upper, const Classes &classes) {
  constexpr int reach = 8;   // bins whose light may cross the cut, about
  constexpr int depth = 16;  // bins of the core
  const int nbin = system_.nbin;
  const int columns = root_band_ + 1;
  for (const bool low : {true, false}) {
    const auto is_cut = [&](size_t slot) {
      const Window &window = *lanes_[slots_[slot].lane].window;
      return low ? window.cut_low : window.cut_high;
    };
    const auto core = [&](size_t slot) {
      const specex_patch &patch = *lanes_[slots_[slot].lane].patch;
      const int first = PatchShape(patch).core_bin;
      return std::pair(first, first + patch.nbin);
    };
    int count = 0;
    for_each_slot([&](size_t slot, size_t) {
      if (!is_cut(slot)) return;
      const auto [first, end] = core(slot);
      count = std::max(count, std::min((low ? first : nbin - end) + depth, nbin));
    });
    const int from = low ? 0 : nbin - count;
    const double *matrix = marginal_.data() + at(from * columns) * width;
    double *effect = effect_.resize(at(count) * width);
    std::fill_n(effect, at(count) * width, 0.0);
    double shift[width];
    for (size_t slot = 0; slot < width; ++slot) {
      const RationalRoot &root = rational_roots()[classes[slot]];
      shift[slot] = upper[slot] * root.shift.front();
      if (!is_cut(slot)) continue;
      const double scale = std::sqrt(upper[slot]) * root.weight.front();
      for (int k = 0; k < std::min(reach, count); ++k) {
        const int w = low ? k : count - 1 - k;
        effect[at(w) * width + slot] =
            scale * matrix[at(w * columns) * width + slot] *
            std::fabs(slot_flux_.data()[at(from + w) * width + slot]);
      }
    }
    if (count > 0)
      kernels_.solve_shifted(count, root_band_, matrix, shift, effect,
                             root_scratch_.data());
    for_each_slot([&](size_t slot, size_t lane) {
      if (!is_cut(slot)) return;
      const auto [first, end] = core(slot);
      for (int w = std::max(first, from); w < std::min(end, from + count); ++w)
        if (!(std::fabs(effect[at(w - from) * width + slot]) <= max_cut_effect))
          refuse(lane);
    });
  }
}

void LaneGroup::take_roots(const Piece &piece) {
  const StageScope stage(SPECEX_STAGE_ROOT);
  const int nbin = system_.nbin;
  const PatchShape shape(*lanes_[0].patch);
  const int nfiber = lanes_[0].patch->nfiber;
  const int nkeep = lanes_[0].patch->ndiag / 2;
  // R needs the rows of Q that its columns in the cores reach.
  int first = nbin;
  for_each_live([&](size_t lane) {
    const int core_bin = PatchShape(*lanes_[lane].patch).core_bin;
    first = std::min(first, std::max(0, core_bin - nkeep));
  });
  marginal_.resize(simd::band_matrix_size(nbin, elimination_.widest));
  slot_flux_.resize(at(nbin) * width);
  // What is read is rounded up to 8 bins.
  row_sum_.resize(at(nbin + width) * width);
  smoothed_.resize(at(nbin + width) * width);
  diagonals_.resize(at(nbin * (nkeep + 1) + width) * width);
  root_scratch_.resize(kernels_.square_root_scratch(nbin, elimination_.widest));
  const double root_scale = std::sqrt(1.0 / piece.weight_scale());
  for_each_live([&](size_t lane) {
    Solution &solution = lanes_[lane].solution;
    solution.roots.resize(at(nfiber));
    solution.flux.resize(at(shape.size()));
  });
  scatter(flux_.data(), shape.size(), 1.0 / root_scale, [&](size_t lane) {
    return has_lane(live_, lane) ? lanes_[lane].solution.flux.data() : nullptr;
  });
  const unsigned lanes = live_;
  const int group = width / std::max(1, std::popcount(lanes));
  for (int i = 0; i < nfiber && live_ != 0; i += group) {
    load_slots(i, group, lanes);
    alignas(64) double upper[width];
    const Classes classes = root_classes(upper);
    check_padding(upper, classes);
    kernels_.square_root(nbin, root_band_, marginal_.data(), upper, poles_of(classes),
                         slot_flux_.data(), first, nkeep, row_sum_.data(),
                         smoothed_.data(), diagonals_.data(), root_scratch_.data());
    store_roots(first, root_scale);
  }
}

simd::Poles LaneGroup::poles_of(const Classes &classes) {
  const auto &roots = rational_roots();
  size_t count = 0;
  for (const size_t k : classes) count = std::max(count, roots[k].shift.size());
  double *shift = pole_shift_.resize(count * width);
  double *weight = pole_weight_.resize(count * width);
  for (size_t k = 0; k < count; ++k)
    for (size_t slot = 0; slot < width; ++slot) {
      const RationalRoot &root = roots[classes[slot]];
      const bool own = k < root.shift.size();
      shift[k * width + slot] = own ? root.shift[k] : 1.0;
      weight[k * width + slot] = own ? root.weight[k] : 0.0;
    }
  return {static_cast<int>(count), shift, weight};
}

// from[k][slot] times scale becomes to(slot)[k], where that is not NULL.
template <class To>
void LaneGroup::scatter(const double *from, int count, double scale, To &&to) {
  double *unwanted = unwanted_.resize(at(count));
  double *targets[width];
  for (size_t slot = 0; slot < width; ++slot) {
    double *target = to(slot);
    targets[slot] = target != nullptr ? target : unwanted;
  }
  kernels_.deinterleave(from, count, scale, targets);
}

void LaneGroup::store_roots(int first, double scale) {
  const int nbin = system_.nbin;
  const int nkeep = lanes_[0].patch->ndiag / 2;
  FiberRoot *roots[width] = {};
  for_each_slot([&](size_t slot, size_t lane) {
    roots[slot] = &lanes_[lane].solution.roots[at(slots_[slot].fiber)];
    roots[slot]->resize(nbin, 2 * nkeep + 1);
  });
  // One of a root's arrays, from row `first` on.
  const auto store = [&](const double *from, int count, double factor, auto &&array) {
    scatter(from + at(first) * width, count, factor, [&](size_t slot) {
      return roots[slot] != nullptr ? array(*roots[slot]) : nullptr;
    });
  };
  store(row_sum_.data(), nbin - first, scale,
        [&](FiberRoot &root) { return &root.row_sum[at(first)]; });
  store(smoothed_.data(), nbin - first, 1.0,
        [&](FiberRoot &root) { return &root.smoothed[at(first)]; });
  for (int m = 0; m <= nkeep && m < nbin - first; ++m)
    store(diagonals_.data() + at(m * nbin) * width, nbin - first - m, scale,
          [&](FiberRoot &root) { return &root.band[at(m * nbin + first)]; });
  for (FiberRoot *root : roots) {
    if (root == nullptr) continue;
    std::fill_n(root->row_sum.begin(), first, 0.0);
    std::fill_n(root->smoothed.begin(), first, 0.0);
    for (int m = 1; m <= nkeep; ++m)  // there is no bin w + m
      std::fill_n(root->band.end() - (nkeep - m) * nbin - std::min(m, nbin),
                  std::min(m, nbin), 0.0);
  }
}

}  // namespace specex
