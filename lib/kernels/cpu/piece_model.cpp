// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/cpu/piece_model.hpp"

#include <algorithm>
#include <climits>

#include "base/stage_clock.hpp"
#include "kernels/shared/chi2.hpp"

namespace specex {
namespace {

constexpr int block_rows = 48;  // whose stamps, of all fibres, stay in cache

size_t at(int64_t index) { return static_cast<size_t>(index); }

// The whole stamps of some fibres and bins of a piece.
Box stamps_of(const Piece &piece, int first_fiber, int nfiber, int first_bin, int nbin) {
  Box box{INT_MAX, INT_MIN, INT_MAX, INT_MIN};
  for (int f = first_fiber; f < first_fiber + nfiber; ++f) {
    for (int w = first_bin; w < first_bin + nbin; ++w) {
      box.xmin = std::min(box.xmin, piece.x0(f, w));
      box.xmax = std::max(box.xmax, piece.x0(f, w) + piece.layout().row);
    }
    // Rows rise with the bins.
    box.ymin = std::min(box.ymin, piece.y0(f, first_bin));
    box.ymax = std::max(box.ymax, piece.y0(f, first_bin + nbin - 1) + piece.layout().ny);
  }
  return box;
}

// Rows [first, end) of an image over a box.
simd::Canvas rows_of(const Box &box, double *pixels, int first, int end) {
  return {pixels + static_cast<ptrdiff_t>(first - box.ymin) * box.width(), box.width(),
          box.xmin, first, end};
}

// Bins of a run whose stamps reach rows [first, end).
simd::FiberLight light_in(const simd::FiberLight &whole, int first, int end) {
  const int *y0 = whole.y0;
  const int low = static_cast<int>(
      std::upper_bound(y0, y0 + whole.nbin, first - whole.layout.ny) - y0);
  const int high =
      static_cast<int>(std::lower_bound(y0 + low, y0 + whole.nbin, end) - y0);
  return {
      whole.layout,     whole.stamps + static_cast<ptrdiff_t>(low) * whole.layout.size,
      whole.x0 + low,   y0 + low,
      whole.flux + low, high - low};
}

}  // namespace

Box PieceModel::stamps_box(const Piece &piece) {
  return stamps_of(piece, 0, piece.shape().nfiber, 0, piece.shape().nbin);
}

void PieceModel::fill(const Piece &piece, const Lane &lane, const Box &box,
                      const PatchOutput &output, ModelPart *model) {
  if (output.chi2pix == nullptr && model == nullptr) return;
  const StageScope stage(SPECEX_STAGE_MODEL);
  const Rules &rules = piece.run().rules;
  const specex_patch &patch = *lane.patch;
  const PatchShape shape(patch);
  const int pad_fiber = patch.pad_first_fiber - piece.shape().first_fiber;
  const int pad_bin = patch.pad_first_bin - piece.shape().first_bin;
  const int core_fiber = pad_fiber + shape.core_fiber;
  const int core_bin = pad_bin + shape.core_bin;
  const auto light_of = [&](int f, int w, int nbin, const double *flux) {
    return simd::FiberLight{
        piece.layout(), piece.stamp(f, w), piece.x0s(f, w), piece.y0s(f, w), flux, nbin};
  };
  // Of all padded bins: 0 outside the core.
  core_flux_.assign(at(shape.size()), 0.0);
  if (model != nullptr) {
    const std::vector<double> flux = model_flux(rules, shape, patch, lane.solution);
    for (int i = 0; i < patch.nfiber; ++i)
      std::copy_n(&flux[at(i * patch.nbin)], patch.nbin,
                  &core_flux_[at((shape.core_fiber + i) * shape.nbin + shape.core_bin)]);
  }

  // chi2 of the pixels under the core's stamps, for the light of all padded bins.
  const Box rows =
      intersect(stamps_of(piece, core_fiber, patch.nfiber, core_bin, patch.nbin), box);
  const Box bounds =
      with_rows_of(stamps_of(piece, pad_fiber, shape.nfiber, pad_bin, shape.nbin), rows);
  const simd::Strip &strip = piece.strip();
  double *chi2 = chi2_.resize(at(bounds.width()) * at(bounds.height()));
  done_.assign(at(patch.nfiber), 0);
  sums_.resize(at(patch.nbin));
  for (int first = bounds.ymin; first < bounds.ymax; first += block_rows) {
    const int end = std::min(first + block_rows, bounds.ymax);
    const simd::Canvas canvas = rows_of(bounds, chi2, first, end);
    std::fill_n(canvas.pixels, at(bounds.width()) * at(end - first), 0.0);
    for (int f = 0; f < shape.nfiber; ++f) {
      const size_t own = at(f * shape.nbin);
      const simd::FiberLight whole =
          light_of(pad_fiber + f, pad_bin, shape.nbin, &lane.solution.flux[own]);
      const simd::FiberLight light = light_in(whole, first, end);
      if (model != nullptr && f >= shape.core_fiber &&
          f < shape.core_fiber + patch.nfiber)
        kernels_.add_two_lights(light, canvas,
                                &core_flux_[own] + (light.flux - whole.flux),
                                rows_of(model->box, model->pixels.data(), first, end));
      else
        kernels_.add_light(light, canvas);
    }
    if (output.chi2pix == nullptr) continue;
    for (int y = first; y < end; ++y) {
      const ptrdiff_t from = (y - strip.ymin) * strip.stride + (bounds.xmin - strip.xmin);
      kernels_.chi2_row(bounds.width(), strip.values + from, strip.weights + from,
                        piece.weight_scale(), rules.psferr,
                        canvas.pixels + (y - first) * canvas.stride);
    }
    for (int i = output.first_fiber; i < std::min(patch.nfiber, output.end_fiber); ++i) {
      const simd::FiberLight core =
          light_of(core_fiber + i, core_bin, patch.nbin, nullptr);
      // Bins all of whose rows are there now.
      int &done = done_[at(i)];
      int ready = done;
      while (ready < patch.nbin &&
             (end == bounds.ymax || core.y0[ready] + core.layout.ny <= end))
        ++ready;
      const simd::FiberLight finished =
          light_of(core_fiber + i, core_bin + done, ready - done, nullptr);
      kernels_.dot_stamps(finished, rows_of(bounds, chi2, bounds.ymin, bounds.ymax),
                          sums_.data());
      for (int j = std::max(done, output.first_bin); j < std::min(ready, output.end_bin);
           ++j) {
        const double used =
            lane.sums
                .usable[at((shape.core_fiber + i) * shape.nbin + shape.core_bin + j)];
        output.chi2pix[output.at(i, j)] = mean_chi2(sums_[at(j - done)], used);
      }
      done = ready;
    }
  }
}

}  // namespace specex
