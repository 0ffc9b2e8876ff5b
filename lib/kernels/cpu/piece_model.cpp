// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/cpu/piece_model.hpp"

#include <algorithm>
#include <climits>

namespace specex {
namespace {

size_t at(int64_t index) { return static_cast<size_t>(index); }

}  // namespace

void PieceModel::start_canvas(const Piece &piece, const specex_patch &patch,
                              const Box &box) {
  const int first_fiber = patch.pad_first_fiber - piece.shape().first_fiber;
  const int first_bin = patch.pad_first_bin - piece.shape().first_bin;
  canvas_ = {INT_MAX, INT_MIN, INT_MAX, INT_MIN};
  for (int f = 0; f < patch.pad_nfiber; ++f)
    for (int w = 0; w < patch.pad_nbin; ++w) {
      const int x0 = piece.x0(first_fiber + f, first_bin + w);
      const int y0 = piece.y0(first_fiber + f, first_bin + w);
      canvas_.xmin = std::min(canvas_.xmin, x0);
      canvas_.xmax = std::max(canvas_.xmax, x0 + piece.layout().row);
      canvas_.ymin = std::min(canvas_.ymin, y0);
      canvas_.ymax = std::max(canvas_.ymax, y0 + piece.layout().ny);
    }
  canvas_.ymin = std::max(canvas_.ymin, box.ymin);
  canvas_.ymax = std::max(canvas_.ymin, std::min(canvas_.ymax, box.ymax));
  const size_t count = at(canvas_.width()) * at(canvas_.height());
  std::fill_n(pixels_.resize(count), count, 0.0);
}

void PieceModel::add(const Piece &piece, int f, int w, double flux) {
  const int y0 = piece.y0(f, w);
  const int ny = piece.layout().ny;
  const int first = std::clamp(canvas_.ymin - y0, 0, ny);
  const int end = std::clamp(canvas_.ymax - y0, first, ny);
  if (flux == 0.0 || first == end) return;
  kernels_.add_stamp(piece.layout(), piece.stamp(f, w), flux, first, end,
                     pixels_.data() +
                         static_cast<ptrdiff_t>(y0 - canvas_.ymin) * canvas_.width() +
                         (piece.x0(f, w) - canvas_.xmin),
                     canvas_.width());
}

double PieceModel::dot(const Piece &piece, int f, int w) const {
  const int y0 = piece.y0(f, w);
  const int ny = piece.layout().ny;
  const int first = std::clamp(canvas_.ymin - y0, 0, ny);
  const int end = std::clamp(canvas_.ymax - y0, first, ny);
  return kernels_.dot_stamp(
      piece.layout(), piece.stamp(f, w), first, end,
      pixels_.data() + static_cast<ptrdiff_t>(y0 - canvas_.ymin) * canvas_.width() +
          (piece.x0(f, w) - canvas_.xmin),
      canvas_.width());
}

void PieceModel::fill(const Piece &piece, const Lane &lane, const Box &box,
                      specex_result &result) {
  const specex_patch &patch = *lane.patch;
  const PatchShape shape(patch);
  const int first_fiber = patch.pad_first_fiber - piece.shape().first_fiber;
  const int first_bin = patch.pad_first_bin - piece.shape().first_bin;
  if (result.chi2pix != nullptr) {
    start_canvas(piece, patch, box);
    for (int f = 0; f < shape.nfiber; ++f)
      for (int w = 0; w < shape.nbin; ++w)
        add(piece, first_fiber + f, first_bin + w,
            lane.solution.flux[at(f * shape.nbin + w)]);
    const simd::Strip &strip = piece.strip();
    for (int y = canvas_.ymin; y < canvas_.ymax; ++y) {
      const ptrdiff_t from =
          (y - strip.ymin) * strip.stride + (canvas_.xmin - strip.xmin);
      kernels_.chi2_row(
          canvas_.width(), strip.values + from, strip.weights + from,
          piece.weight_scale(), run_.rules.psferr,
          pixels_.data() + static_cast<ptrdiff_t>(y - canvas_.ymin) * canvas_.width());
    }
    for (int i = 0; i < patch.nfiber; ++i)
      for (int j = 0; j < patch.nbin; ++j) {
        const int f = shape.core_fiber + i;
        const int w = shape.core_bin + j;
        const double used = lane.sums.usable[at(f * shape.nbin + w)];
        result.chi2pix[i * patch.nbin + j] =
            used > 1e-12 ? dot(piece, first_fiber + f, first_bin + w) / used : 0.0;
      }
  }
  if (result.model != nullptr) {
    start_canvas(piece, patch, box);
    const std::vector<double> flux = model_flux(run_.rules, shape, patch, lane.solution);
    for (int i = 0; i < patch.nfiber; ++i)
      for (int j = 0; j < patch.nbin; ++j)
        add(piece, first_fiber + shape.core_fiber + i, first_bin + shape.core_bin + j,
            flux[at(i * patch.nbin + j)]);
    const int64_t columns = patch.xmax - patch.xmin;
    std::fill_n(result.model, columns * (patch.ymax - patch.ymin), 0.0);
    const Box inside = intersect(box, canvas_);
    for (int y = inside.ymin; y < inside.ymax; ++y)
      std::copy_n(pixels_.data() +
                      static_cast<ptrdiff_t>(y - canvas_.ymin) * canvas_.width() +
                      (inside.xmin - canvas_.xmin),
                  inside.width(),
                  result.model + (y - patch.ymin) * columns + (inside.xmin - patch.xmin));
  }
}

}  // namespace specex
