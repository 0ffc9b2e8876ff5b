// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/cpu/piece_model.hpp"

#include <algorithm>
#include <climits>

#include "base/stage_clock.hpp"

namespace specex {
namespace {

constexpr int block_bins = 32;  // whose pixels stay in cache

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

// Calls visit(fibre, bin), block by block of bins.
template <class Visit>
void for_each_bin(int nfiber, int nbin, Visit &&visit) {
  for (int first = 0; first < nbin; first += block_bins)
    for (int f = 0; f < nfiber; ++f)
      for (int w = first; w < std::min(nbin, first + block_bins); ++w) visit(f, w);
}

}  // namespace

Box PieceModel::stamps_box(const Piece &piece) {
  return stamps_of(piece, 0, piece.shape().nfiber, 0, piece.shape().nbin);
}

void PieceModel::add(const Piece &piece, int f, int w, double flux,
                     const Canvas &canvas) const {
  const int y0 = piece.y0(f, w);
  const int ny = piece.layout().ny;
  const int first = std::clamp(canvas.box.ymin - y0, 0, ny);
  const int end = std::clamp(canvas.box.ymax - y0, first, ny);
  if (flux == 0.0 || first == end) return;
  kernels_.add_stamp(piece.layout(), piece.stamp(f, w), flux, first, end,
                     canvas.row(y0) + (piece.x0(f, w) - canvas.box.xmin),
                     canvas.box.width());
}

double PieceModel::dot(const Piece &piece, int f, int w, const Canvas &canvas) const {
  const int y0 = piece.y0(f, w);
  const int ny = piece.layout().ny;
  const int first = std::clamp(canvas.box.ymin - y0, 0, ny);
  const int end = std::clamp(canvas.box.ymax - y0, first, ny);
  return kernels_.dot_stamp(piece.layout(), piece.stamp(f, w), first, end,
                            canvas.row(y0) + (piece.x0(f, w) - canvas.box.xmin),
                            canvas.box.width());
}

// chi2 of the pixels under the core's stamps, for the model of all padded bins.
PieceModel::Canvas PieceModel::chi2_image(const Piece &piece, const Lane &lane,
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
  const Canvas canvas{bounds, chi2_.resize(count)};
  std::fill_n(canvas.pixels, count, 0.0);
  for_each_bin(shape.nfiber, shape.nbin, [&](int f, int w) {
    add(piece, first_fiber + f, first_bin + w, lane.solution.flux[at(f * shape.nbin + w)],
        canvas);
  });
  const simd::Strip &strip = piece.strip();
  for (int y = bounds.ymin; y < bounds.ymax; ++y) {
    const ptrdiff_t from = (y - strip.ymin) * strip.stride + (bounds.xmin - strip.xmin);
    kernels_.chi2_row(bounds.width(), strip.values + from, strip.weights + from,
                      piece.weight_scale(), run_.rules.psferr, canvas.row(y));
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
  Canvas chi2{};
  if (output.chi2pix != nullptr) chi2 = chi2_image(piece, lane, box);
  Canvas light{};
  std::vector<double> flux;
  if (model != nullptr) {
    light = {model->box, model->pixels.data()};
    flux = model_flux(run_.rules, shape, patch, lane.solution);
  }
  for_each_bin(patch.nfiber, patch.nbin, [&](int i, int j) {
    if (model != nullptr)
      add(piece, first_fiber + i, first_bin + j, flux[at(i * patch.nbin + j)], light);
    if (output.chi2pix == nullptr || i < output.first_fiber || i >= output.end_fiber ||
        j < output.first_bin || j >= output.end_bin)
      return;
    const double used =
        lane.sums.usable[at((shape.core_fiber + i) * shape.nbin + shape.core_bin + j)];
    output.chi2pix[output.at(i, j)] =
        used > 1e-12 ? dot(piece, first_fiber + i, first_bin + j, chi2) / used : 0.0;
  });
}

}  // namespace specex
