// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/cpu/lane_group.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "base/stage_clock.hpp"
#include "kernels/cpu/simd/half_band.hpp"
#include "kernels/shared/shortcut_bounds.hpp"

namespace specex {
namespace {

constexpr int width = simd::width;

// The coupling of fibres is known to float precision. Bounds, some 100 times what is
// found.
constexpr double max_matrix_error = 1e-7;
constexpr double max_light_error = 1e-5;
constexpr double max_row_error = 2e-3;  // of bins in the padding
constexpr double max_edge_share = 1e-12;

size_t at(int64_t index) { return static_cast<size_t>(index); }

bool has(unsigned lanes, size_t lane) { return (lanes >> lane & 1) != 0; }

}  // namespace

template <class Visit>
void LaneGroup::for_each_live(Visit &&visit) {
  for (size_t lane = 0; lane < count_; ++lane)
    if (has(live_, lane)) visit(lane);
}

double &LaneGroup::band(int f, int w, int m, size_t lane) {
  return band_
      .data()[((at(f) * at(system_.nbin) + at(w)) * at(system_.half_band + 1) + at(m)) *
                  width +
              lane];
}

double &LaneGroup::cross(int f, int w, int l, size_t lane) {
  return cross_
      .data()[((at(f) * at(system_.nbin) + at(w)) * at(system_.nlag) + at(l)) * width +
              lane];
}

double &LaneGroup::data(int f, int w, size_t lane) {
  return data_.data()[(at(f) * at(system_.nbin) + at(w)) * width + lane];
}

std::span<Lane> LaneGroup::solve(const Piece &piece,
                                 std::span<const Window *const> windows) {
  count_ = windows.size();
  for (size_t lane = 0; lane < width; ++lane) {  // idle lanes repeat the last window
    lanes_[lane].window = windows[std::min(lane, count_ - 1)];
    lanes_[lane].patch = &lanes_[lane].window->shape;
    lanes_[lane].solved = false;
  }
  // Marginalising the neighbours fills in what is beyond the spots' own band, slightly.
  // Lanes where that matters are solved again with a wider one; where it mostly does,
  // that is what they begin with.
  unsigned wide = (1U << count_) - 1;
  const bool whole = windows.front()->whole;
  for (int band = simd::half_band_for(piece.half_band() + (run_.rules.compat ? 0 : 1));
       band > 0 && wide != 0; band = simd::half_band_for(band + 1)) {
    system_.half_band = band;
    live_ = wide;
    rounded_ = 0;
    cut(piece);
    wide = eliminate();
    // Whole patches must not depend on each other.
    if (wide != 0 && !whole && simd::half_band_for(band + 1) > 0) wide |= live_;
    live_ &= ~wide;
    if (live_ == 0) continue;
    find_flux();
    take_roots(piece);
    for_each_live([&](size_t lane) { lanes_[lane].solved = true; });
  }
  return {lanes_.data(), count_};
}

void LaneGroup::cut(const Piece &piece) {
  const StageScope stage(SPECEX_STAGE_GATHER);
  const specex_patch &one = *lanes_[0].patch;
  system_.nfiber = one.pad_nfiber;
  system_.nbin = one.pad_nbin;
  system_.first_lag = piece.first_lag();
  system_.nlag = piece.nlag();
  gather(piece);
  for_each_live([&](size_t lane) {
    Lane &own = lanes_[lane];
    const PatchShape shape(*own.patch);
    own.sums.resize(at(shape.size()));
    const int first_fiber = own.patch->pad_first_fiber - piece.shape().first_fiber;
    const int first_bin = own.patch->pad_first_bin - piece.shape().first_bin;
    double far_coupling = 0.0;
    double edge_share = 0.0;
    for (int f = 0; f < shape.nfiber; ++f)
      for (int w = 0; w < shape.nbin; ++w) {
        const size_t q = at(f * shape.nbin + w);
        const int pf = first_fiber + f;
        const int pw = first_bin + w;
        const double diagonal = piece.band(pf, pw)[0];
        own.sums.data[q] = piece.data(pf, pw);
        own.sums.weight[q] = piece.weight(pf, pw);
        own.sums.masked[q] = piece.masked(pf, pw);
        own.sums.usable[q] = diagonal > 0.0 ? 1.0 - piece.masked(pf, pw) : 0.0;
        own.sums.diagonal[q] = diagonal;
        far_coupling = std::max(far_coupling, piece.far_coupling(pf, pw));
        edge_share = std::max(edge_share, piece.edge_share(pf, pw));
      }
    if (!(far_coupling <= max_far_coupling) || !(edge_share <= max_edge_share))
      drop(lane);
    apply_row_limits(piece, lane);
    condition_lane(piece, lane);
  });
}

void LaneGroup::gather(const Piece &piece) {
  const size_t unknowns = at(system_.nfiber) * at(system_.nbin);
  const auto band_size = at(system_.half_band + 1);
  const auto nlag = at(system_.nlag);
  // What is read is rounded up to 8 and written over by the next bin: leave room at the
  // end.
  double *band = band_.resize((unknowns * band_size + width) * width);
  double *cross = cross_.resize((unknowns * nlag + width) * width);
  data_.resize((unknowns + width) * width);
  const double *from[width];
  const auto rows = [&](int f, int w, auto &&row_of) {
    for (size_t lane = 0; lane < width; ++lane) {
      const specex_patch &patch = *lanes_[lane].patch;
      from[lane] = row_of(patch.pad_first_fiber - piece.shape().first_fiber + f,
                          patch.pad_first_bin - piece.shape().first_bin + w);
    }
  };
  size_t q = 0;
  for (int f = 0; f < system_.nfiber; ++f)
    for (int w = 0; w < system_.nbin; ++w, ++q) {
      rows(f, w, [&](int pf, int pw) { return piece.band(pf, pw); });
      double *to = band + q * band_size * width;
      kernels_.interleave(from, piece.half_band() + 1, to);
      // Bins beyond the window are no part of it.
      for (int m = std::min(piece.half_band() + 1, system_.nbin - w);
           m <= system_.half_band; ++m)
        std::fill_n(to + at(m) * width, width, 0.0);
      if (f + 1 == system_.nfiber || nlag == 0) continue;
      rows(f, w, [&](int pf, int pw) { return piece.cross(pf, pw); });
      kernels_.interleave(from, static_cast<int>(nlag), cross + q * nlag * width);
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
            cross(f, w, l, lane) = with(pf + 1, first_bin + v);
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
  own.measured = condition(run_.rules, own.sums);
  const int nbin = system_.nbin;
  for (int f = 0; f < system_.nfiber; ++f)
    for (int w = 0; w < nbin; ++w) {
      const size_t q = at(f * nbin + w);
      // With the weights' scale, flux is in units of its root: what is checked of it is
      // in standard deviations.
      data(f, w, lane) = own.measured[q] ? own.sums.data[q] / std::sqrt(scale) : 0.0;
      band(f, w, 0, lane) = own.sums.diagonal[q] * scale;
      if (own.measured[q]) continue;
      for (int m = 1; m <= system_.half_band; ++m) {
        band(f, w, m, lane) = 0.0;
        if (w >= m) band(f, w - m, m, lane) = 0.0;
      }
      for (int l = 0; l < system_.nlag; ++l) {
        cross(f, w, l, lane) = 0.0;
        const int v = w - system_.first_lag - l;
        if (f > 0 && v >= 0 && v < nbin) cross(f - 1, v, l, lane) = 0.0;
      }
    }
}

// Returns the lanes whose marginal matrices are wider than the band.
unsigned LaneGroup::eliminate() {
  const StageScope stage(SPECEX_STAGE_ELIMINATION);
  if (live_ == 0) return 0;
  // Idle lanes need numbers that are defined: those of a live one.
  const size_t unknowns = at(system_.nfiber) * at(system_.nbin);
  const auto model = static_cast<size_t>(std::countr_zero(live_));
  const auto fill_idle = [&](double *array, size_t groups) {
    for (size_t lane = 0; lane < width; ++lane)
      if (!has(live_, lane))
        for (size_t k = 0; k < groups; ++k)
          array[k * width + lane] = array[k * width + model];
  };
  fill_idle(band_.data(), unknowns * at(system_.half_band + 1));
  fill_idle(cross_.data(), unknowns * at(system_.nlag));
  fill_idle(data_.data(), unknowns);

  system_.band = band_.data();
  system_.cross = cross_.data();
  system_.data = data_.data();
  const size_t band_size = unknowns * at(system_.half_band + 1) * width;
  elimination_ = {factors_.resize(at(system_.nfiber) *
                                  kernels_.factor_size(system_.nbin, system_.half_band)),
                  from_left_.resize(band_size), from_right_.resize(band_size),
                  scratch_.resize(kernels_.elimination_scratch(system_))};
  simd::Checks checks{};
  live_ &= static_cast<unsigned>(kernels_.eliminate(system_, elimination_, checks));
  unsigned wide = 0;
  for_each_live([&](size_t lane) {
    coupling_[lane] = checks.coupling[lane];
    if (!(checks.truncation[lane] <= max_truncation * max_truncation)) wide |= 1U << lane;
  });
  return wide;
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

// For each live lane the first of rational_roots() whose interval holds its spectrum,
// certified by a factorisation of S - upper / kappa. Lanes that no interval holds are
// dropped, and those whose condition is too much for how well the coupling is known.
std::array<size_t, simd::width> LaneGroup::root_classes(const double *marginal,
                                                        double *upper) {
  constexpr double float_rounding = 6e-8;
  const auto &roots = rational_roots();
  const int nbin = system_.nbin;
  kernels_.bound_spectrum(nbin, system_.half_band, marginal, upper);
  std::array<size_t, width> classes{};
  unsigned open = live_;
  for (size_t k = 0; k < roots.size() && open != 0; ++k) {
    double shift[width];
    for (size_t lane = 0; lane < width; ++lane)
      shift[lane] = upper[lane] / roots[k].kappa;
    const auto positive = static_cast<unsigned>(kernels_.positive_above(
        nbin, system_.half_band, marginal, shift, root_scratch_.data()));
    for_each_live([&](size_t lane) {
      if (!has(open & positive, lane)) return;
      classes[lane] = k;
      // Errors grow with the condition: those of S in proportion, those of Q f with its
      // root.
      const double rounded = has(rounded_, lane) ? 1.0 : 0.0;
      if (!(float_rounding * rounded * roots[k].kappa <= max_row_error) ||
          !(float_rounding * coupling_[lane] * roots[k].kappa <= max_matrix_error) ||
          !(float_rounding * light_[lane] * std::sqrt(roots[k].kappa) <= max_light_error))
        drop(lane);
    });
    open &= ~positive;
  }
  live_ &= ~open;
  return classes;
}

// What a cut changes in the core, in standard deviations: as if the flux of the bins
// beyond it were that of the bins before it, and all of their light fell across. An error
// r in the normal equations is one of S^-1/2 r in Q f; the pole closest to the spectrum
// is what reaches farthest of S^-1/2 = sum_k w_k (S + a_k)^-1.
void LaneGroup::check_padding(int f, const double *marginal, const double *upper,
                              const RationalRoot &root, unsigned lanes) {
  constexpr int reach = 8;  // bins whose light may cross the cut, about
  const int nbin = system_.nbin;
  const int columns = system_.half_band + 1;
  const double *flux = flux_.data() + at(f) * at(nbin) * width;
  double *effect = effect_.resize(at(nbin) * width);
  std::fill_n(effect, at(nbin) * width, 0.0);
  double shift[width];
  bool cut = false;
  for (size_t lane = 0; lane < width; ++lane) {
    shift[lane] = upper[lane] * root.shift.front();
    const double scale = std::sqrt(upper[lane]) * root.weight.front();
    const auto light = [&](int w) {
      effect[at(w) * width + lane] = scale * marginal[at(w * columns) * width + lane] *
                                     std::fabs(flux[at(w) * width + lane]);
      cut = true;
    };
    for (int w = 0; w < std::min(reach, nbin); ++w) {
      if (lanes_[lane].window->cut_low) light(w);
      if (lanes_[lane].window->cut_high) light(nbin - 1 - w);
    }
  }
  if (!cut) return;
  kernels_.solve_shifted(nbin, system_.half_band, marginal, shift, effect,
                         root_scratch_.data());
  for_each_live([&](size_t lane) {
    if (!has(lanes, lane)) return;
    const PatchShape shape(*lanes_[lane].patch);
    for (int w = shape.core_bin; w < shape.core_bin + lanes_[lane].patch->nbin; ++w)
      if (!(std::fabs(effect[at(w) * width + lane]) <= max_cut_effect)) drop(lane);
  });
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
  const size_t band_size = at(nbin) * at(system_.half_band + 1) * width;
  double *marginal = marginal_.resize(band_size);
  // What is read is rounded up to 8 bins.
  row_sum_.resize(at(nbin + width) * width);
  smoothed_.resize(at(nbin + width) * width);
  diagonals_.resize(at(nbin * (nkeep + 1) + width) * width);
  root_scratch_.resize(kernels_.square_root_scratch(nbin, system_.half_band));
  const double root_scale = std::sqrt(1.0 / piece.weight_scale());
  for_each_live([&](size_t lane) {
    Solution &solution = lanes_[lane].solution;
    solution.roots.resize(at(nfiber));
    solution.flux.resize(at(shape.size()));
  });
  scatter(flux_.data(), shape.size(), 1.0 / root_scale, live_,
          [&](size_t lane) { return lanes_[lane].solution.flux.data(); });
  for (int i = 0; i < nfiber; ++i) {
    const int f = shape.core_fiber + i;
    const double *own = band_.data() + at(f) * band_size;
    const double *left = from_left_.data() + at(f) * band_size;
    const double *right = from_right_.data() + at(f) * band_size;
    for (size_t k = 0; k < band_size; ++k) {
      double value = own[k];
      if (f > 0) value -= left[k];
      if (f + 1 < system_.nfiber) value -= right[k];
      marginal[k] = value;
    }
    alignas(64) double upper[width];
    const auto classes = root_classes(marginal, upper);
    for (unsigned left_over = live_; left_over != 0;) {
      const size_t kind = classes[static_cast<size_t>(std::countr_zero(left_over))];
      unsigned lanes = 0;
      for_each_live([&](size_t lane) {
        if (classes[lane] == kind) lanes |= 1U << lane;
      });
      left_over &= ~lanes;
      const RationalRoot &root = rational_roots()[kind];
      check_padding(f, marginal, upper, root, lanes);
      const simd::Poles poles{static_cast<int>(root.shift.size()), root.shift.data(),
                              root.weight.data()};
      kernels_.square_root(nbin, system_.half_band, marginal, upper, poles,
                           flux_.data() + at(f) * at(nbin) * width, first, nkeep,
                           row_sum_.data(), smoothed_.data(), diagonals_.data(),
                           root_scratch_.data());
      store_roots(i, first, root_scale, lanes & live_);
    }
  }
}

// Of these lanes, from[k][lane] times scale becomes to(lane)[k].
template <class To>
void LaneGroup::scatter(const double *from, int count, double scale, unsigned lanes,
                        To &&to) {
  double *unwanted = unwanted_.resize(at(count));
  double *targets[width];
  for (size_t lane = 0; lane < width; ++lane)
    targets[lane] = has(lanes, lane) ? to(lane) : unwanted;
  kernels_.deinterleave(from, count, scale, targets);
}

void LaneGroup::store_roots(int i, int first, double scale, unsigned lanes) {
  const int nbin = system_.nbin;
  const int nkeep = lanes_[0].patch->ndiag / 2;
  const auto root = [&](size_t lane) -> FiberRoot & {
    return lanes_[lane].solution.roots[at(i)];
  };
  for_each_live([&](size_t lane) {
    if (has(lanes, lane)) root(lane).clear(nbin, 2 * nkeep + 1);
  });
  const size_t from = at(first) * width;
  scatter(row_sum_.data() + from, nbin - first, scale, lanes,
          [&](size_t lane) { return &root(lane).row_sum[at(first)]; });
  scatter(smoothed_.data() + from, nbin - first, 1.0, lanes,
          [&](size_t lane) { return &root(lane).smoothed[at(first)]; });
  for (int m = 0; m <= nkeep && m < nbin - first; ++m) {
    const int count = nbin - first - m;
    const auto diagonal = [&](size_t lane, int k, int w) {
      return &root(lane).band[at(k * nbin + w)];
    };
    scatter(diagonals_.data() + at(m * nbin) * width + from, count, scale, lanes,
            [&](size_t lane) { return diagonal(lane, nkeep + m, first); });
    // Q is symmetric: element (w, w + m) is also (w + m, w).
    for_each_live([&](size_t lane) {
      if (m > 0 && has(lanes, lane))
        std::copy_n(diagonal(lane, nkeep + m, first), count,
                    diagonal(lane, nkeep - m, first + m));
    });
  }
}

}  // namespace specex
