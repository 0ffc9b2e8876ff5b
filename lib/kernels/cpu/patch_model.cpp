// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/cpu/patch_model.hpp"

#include <algorithm>

#include "kernels/shared/chi2.hpp"

namespace specex {
namespace {

size_t at(int64_t index) { return static_cast<size_t>(index); }

// An image over a box, indexed by the CCD's rows and columns.
struct Canvas {
  Box box;
  double *pixels;
  int stride;

  double *row(int y) const {
    return pixels + static_cast<ptrdiff_t>(y - box.ymin) * stride - box.xmin;
  }

  void add(const Stamp &stamp, double flux) const {
    const Box inside = intersect(stamp.box, box);
    for (int y = inside.ymin; y < inside.ymax; ++y) {
      double *out = row(y);
      const double *spot = stamp.row(y);
      for (int x = inside.xmin; x < inside.xmax; ++x) out[x] += flux * spot[x];
    }
  }
};

}  // namespace

void fill_chi2pix(const Run &run, const specex_patch &patch, const SpotTable &spots,
                  const PatchPixels &pixels, const Solution &solution,
                  const PatchOutput &output) {
  const Box &box = pixels.box();
  std::vector<double> buffer(at(box.width()) * at(box.height()));
  const Canvas chi2{box, buffer.data(), box.width()};
  for (int f = 0; f < patch.pad_nfiber; ++f)
    for (int w = 0; w < patch.pad_nbin; ++w)
      chi2.add(spots.stamp(patch.pad_first_fiber + f, patch.pad_first_bin + w),
               solution.flux[at(f * patch.pad_nbin + w)]);
  for (int y = box.ymin; y < box.ymax; ++y)
    for (int x = box.xmin; x < box.xmax; ++x) {
      const double weight = pixels.weights(y)[x];
      const double model = chi2.row(y)[x];
      chi2.row(y)[x] =
          weight > 0.0 ? pixel_chi2(pixels.values(y)[x], weight, model, run.rules.psferr)
                       : 0.0;
    }
  for (int i = output.first_fiber; i < output.end_fiber; ++i)
    for (int j = output.first_bin; j < output.end_bin; ++j) {
      const Stamp stamp = spots.stamp(patch.first_fiber + i, patch.first_bin + j);
      const Box inside = intersect(stamp.box, box);
      double sum = 0.0;
      double used = 0.0;
      for (int y = inside.ymin; y < inside.ymax; ++y) {
        const double *spot = stamp.row(y);
        for (int x = inside.xmin; x < inside.xmax; ++x) {
          if (pixels.weights(y)[x] == 0.0) continue;
          sum += spot[x] * chi2.row(y)[x];
          used += spot[x];
        }
      }
      output.chi2pix[output.at(i, j)] = mean_chi2(sum, used);
    }
}

void add_model(const Run &run, const specex_patch &patch, const SpotTable &spots,
               const Box &box, const Solution &solution, double *model) {
  const Canvas canvas{box, model, box.width()};
  const PatchShape shape(patch);
  const std::vector<double> flux = model_flux(run.rules, shape, patch, solution);
  for (int i = 0; i < patch.nfiber; ++i)
    for (int j = 0; j < patch.nbin; ++j)
      canvas.add(spots.stamp(patch.first_fiber + i, patch.first_bin + j),
                 flux[at(i * patch.nbin + j)]);
}

}  // namespace specex
