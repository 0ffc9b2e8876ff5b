// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/cpu/piece_model.hpp"

#include <algorithm>
#include <climits>

#include "base/stage_clock.hpp"

namespace specex {
namespace {

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

simd::Canvas canvas_of(const Box &box, double *pixels) {
  return {pixels, box.width(), box.xmin, box.ymin, box.ymax};
}

simd::FiberLight light_of(const Piece &piece, int f, int w, int nbin,
                          const double *flux) {
  return {piece.layout(),   piece.stamp(f, w), piece.x0s(f, w),
          piece.y0s(f, w), flux,              nbin};
}

}  // namespace

Box PieceModel::stamps_box(const Piece &piece) {
  return stamps_of(piece, 0, piece.shape().nfiber, 0, piece.shape().nbin);
}

// chi2 of the pixels under the core's stamps, for the model of all padded bins.
simd::Canvas PieceModel::chi2_image(const Piece &piece, const Lane &lane,
                                    const Box &box) {
  const specex_patch &patch = *lane.patch;
  const PatchShape shape(patch);
  const int first_fiber = patch.pad_first_fiber - piece.shape().first_fiber;
  const int first_bin = patch.pad_first_bin - piece.shape().first_bin;
  Box bounds = stamps_of(piece, first_fiber, shape.nfiber, first_bin, shape.nbin);
  bounds = with_rows_of(
      bounds,
      intersect(box, stamps_of(piece, first_fiber + shape.core_fiber, patch.nfiber,
                               first_bin + shape.core_bin, patch.nbin)));
  const size_t count = at(bounds.width()) * at(bounds.height());
  const simd::Canvas canvas = canvas_of(bounds, chi2_.resize(count));
  std::fill_n(canvas.pixels, count, 0.0);
  for (int f = 0; f < shape.nfiber; ++f)
    kernels_.add_light(light_of(piece, first_fiber + f, first_bin, shape.nbin,
                                &lane.solution.flux[at(f * shape.nbin)]),
                       canvas);
  const simd::Strip &strip = piece.strip();
  for (int y = bounds.ymin; y < bounds.ymax; ++y) {
    const ptrdiff_t from = (y - strip.ymin) * strip.stride + (bounds.xmin - strip.xmin);
    kernels_.chi2_row(bounds.width(), strip.values + from, strip.weights + from,
                      piece.weight_scale(), run_.rules.psferr,
                      canvas.pixels + (y - bounds.ymin) * canvas.stride);
  }
  return canvas;
}

void PieceModel::fill(const Piece &piece, const Lane &lane, const Box &box,
                      const PatchOutput &output, ModelPart *model) {
  const StageScope stage(SPECEX_STAGE_MODEL);
  const specex_patch &patch = *lane.patch;
  const PatchShape shape(patch);
  const int first_fiber =
      patch.pad_first_fiber - piece.shape().first_fiber + shape.core_fiber;
  const int first_bin = patch.pad_first_bin - piece.shape().first_bin + shape.core_bin;
  simd::Canvas chi2{};
  if (output.chi2pix != nullptr) chi2 = chi2_image(piece, lane, box);
  std::vector<double> flux;
  if (model != nullptr) flux = model_flux(run_.rules, shape, patch, lane.solution);
  sums_.resize(at(patch.nbin));
  for (int i = 0; i < patch.nfiber; ++i) {
    const double *own = model != nullptr ? &flux[at(i * patch.nbin)] : nullptr;
    const simd::FiberLight light =
        light_of(piece, first_fiber + i, first_bin, patch.nbin, own);
    if (model != nullptr)
      kernels_.add_light(light, canvas_of(model->box, model->pixels.data()));
    if (output.chi2pix == nullptr || i < output.first_fiber || i >= output.end_fiber)
      continue;
    kernels_.dot_stamps(light, chi2, sums_.data());
    for (int j = output.first_bin; j < output.end_bin; ++j) {
      const double used =
          lane.sums.usable[at((shape.core_fiber + i) * shape.nbin + shape.core_bin + j)];
      output.chi2pix[output.at(i, j)] = used > 1e-12 ? sums_[at(j)] / used : 0.0;
    }
  }
}

}  // namespace specex
