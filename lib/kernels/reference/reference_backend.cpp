// SPDX-License-Identifier: BSD-3-Clause
//
// The oracle: one thread, dense matrices, the equations as they are printed. Slow on
// purpose; every other backend is tested against it.
//
// A patch's pixels are d = A f + noise with weights W (Bolton & Schlegel 2010, eq. 1):
//   N = A^T W A,  f = N^-1 A^T W d                                      (eqs. 2-4)
//   signal decorrelation: C = N^-1; for each fibre Q_i = (C_ii)^-1/2    (eqs. 10-13)
//   noise decorrelation:  Q = N^1/2 over all fibres of the patch
//   R = diag(1/s) Q,  ivar = s^2,  s = row sums of Q
#include <algorithm>

#include "base/stage_clock.hpp"
#include "kernels/shared/chi2.hpp"
#include "kernels/shared/dense_solve.hpp"
#include "kernels/shared/run_patch.hpp"

namespace specex {
namespace {

size_t at(int64_t index) { return static_cast<size_t>(index); }

// The projection as a dense matrix, [spot q][pixel], over the pixels of a box.
class Projection {
 public:
  Projection(const SpotTable &spots, const specex_patch &patch, const Box &box)
      : box_(box), npixel_(int64_t{box.width()} * box.height()) {
    const PatchShape shape(patch);
    elements_.resize(at(shape.size()) * at(npixel_));
    for (int q = 0; q < shape.size(); ++q) {
      const Stamp stamp = spots.stamp(patch.pad_first_fiber + q / shape.nbin,
                                      patch.pad_first_bin + q % shape.nbin);
      const Box inside = intersect(stamp.box, box);
      for (int y = inside.ymin; y < inside.ymax; ++y)
        for (int x = inside.xmin; x < inside.xmax; ++x)
          elements_[at(q) * at(npixel_) + at(pixel(y, x))] = stamp.row(y)[x];
    }
  }

  int64_t npixel() const { return npixel_; }
  int64_t pixel(int y, int x) const {
    return int64_t{y - box_.ymin} * box_.width() + x - box_.xmin;
  }
  const double *spot(int q) const { return elements_.data() + at(q) * at(npixel_); }

 private:
  Box box_;
  int64_t npixel_;
  std::vector<double> elements_;
};

// A^T W A. Loops over pixels and the spots that touch each of them.
Symmetric normal_matrix(const Projection &a, const PatchPixels &pixels, int n) {
  Symmetric normal(n);
  std::vector<int> touching;
  const Box &box = pixels.box();
  for (int y = box.ymin; y < box.ymax; ++y)
    for (int x = box.xmin; x < box.xmax; ++x) {
      const double weight = pixels.weights(y)[x];
      if (weight == 0.0) continue;
      const int64_t p = a.pixel(y, x);
      touching.clear();
      for (int q = 0; q < n; ++q)
        if (a.spot(q)[p] != 0.0) touching.push_back(q);
      for (const int i : touching)
        for (const int j : touching) normal(i, j) += weight * a.spot(i)[p] * a.spot(j)[p];
    }
  return normal;
}

// The bins that take no part are decoupled: their rows and columns, and data, are 0.
void apply_conditioning(const std::vector<bool> &measured, BinSums &sums,
                        Symmetric &normal) {
  for (int i = 0; i < normal.n; ++i) {
    if (!measured[at(i)]) {
      sums.data[at(i)] = 0.0;
      for (int j = 0; j < normal.n; ++j) normal(i, j) = normal(j, i) = 0.0;
    }
    normal(i, i) = sums.diagonal[at(i)];
  }
}

// chi2pix of each core bin: the mean chi2 of its usable pixels, weighted by the spot.
void fill_chi2pix(const Run &run, const specex_patch &patch, const Projection &a,
                  const PatchPixels &pixels, const Solution &solution,
                  const PatchOutput &output) {
  const PatchShape shape(patch);
  std::vector<double> model(at(a.npixel()));
  for (int q = 0; q < shape.size(); ++q)
    for (int64_t p = 0; p < a.npixel(); ++p)
      model[at(p)] += a.spot(q)[p] * solution.flux[at(q)];
  for (int i = output.first_fiber; i < output.end_fiber; ++i)
    for (int j = output.first_bin; j < output.end_bin; ++j) {
      const double *spot =
          a.spot((shape.core_fiber + i) * shape.nbin + shape.core_bin + j);
      double chi2 = 0.0;
      double used = 0.0;
      const Box &box = pixels.box();
      for (int y = box.ymin; y < box.ymax; ++y)
        for (int x = box.xmin; x < box.xmax; ++x) {
          const int64_t p = a.pixel(y, x);
          const double weight = pixels.weights(y)[x];
          if (weight == 0.0 || spot[p] == 0.0) continue;
          chi2 += spot[p] *
                  pixel_chi2(pixels.values(y)[x], weight, model[at(p)], run.rules.psferr);
          used += spot[p];
        }
      output.chi2pix[output.at(i, j)] = mean_chi2(chi2, used);
    }
}

void add_model(const Run &run, const specex_patch &patch, const Projection &a,
               const Box &box, const Solution &solution, const ModelTarget &target) {
  const PatchShape shape(patch);
  std::vector<double> model(at(a.npixel()));
  const std::vector<double> flux = model_flux(run.rules, shape, patch, solution);
  for (int i = 0; i < patch.nfiber; ++i)
    for (int j = 0; j < patch.nbin; ++j) {
      const double *spot =
          a.spot((shape.core_fiber + i) * shape.nbin + shape.core_bin + j);
      for (int64_t p = 0; p < a.npixel(); ++p)
        model[at(p)] += flux[at(i * patch.nbin + j)] * spot[p];
    }
  add_to_target(target, box, model.data());
}

void extract_patch(const Run &run, const specex_patch &patch, const Box &box,
                   PatchOutput &output) {
  const StageScope stage(SPECEX_STAGE_FALLBACK);
  const PatchShape shape(patch);
  SpotTable spots;
  spots.evaluate(run.spots, run.psf, patch.wavemin, patch.wavestep, patch.pad_first_fiber,
                 patch.pad_nfiber, patch.pad_first_bin, patch.pad_nbin);
  const PatchPixels pixels(run.image, box);
  const Projection a(spots, patch, box);
  BinSums sums(at(shape.size()));
  for (int q = 0; q < shape.size(); ++q)
    add_sums(spots.stamp(patch.pad_first_fiber + q / shape.nbin,
                         patch.pad_first_bin + q % shape.nbin),
             pixels, at(q), sums);
  Symmetric normal = normal_matrix(a, pixels, shape.size());
  const std::vector<bool> measured = condition(run.rules, sums);
  apply_conditioning(measured, sums, normal);
  const Solution solution = dense_solve(run.rules, patch, normal, sums.data);
  finish(run, patch, sums, measured, solution, output);
  if (output.chi2pix != nullptr) fill_chi2pix(run, patch, a, pixels, solution, output);
  if (output.model.pixels != nullptr)
    add_model(run, patch, a, box, solution, output.model);
  output.path = SPECEX_PATH_DENSE;
}

class ReferenceBackend final : public Backend {
 public:
  const char *name() const override { return "reference"; }
  const char *vectors() const override { return "none"; }

  void extract(const Run &run, std::span<const specex_patch> patches,
               std::span<PatchOutput> outputs) override {
    for (size_t k = 0; k < patches.size(); ++k) {
      if (run.progress.cancelled()) {
        finish_unsolved(run, patches[k], SPECEX_CANCELLED, outputs[k]);
        continue;
      }
      run_patch(run, patches[k], outputs[k],
                [&](const Box &box) { extract_patch(run, patches[k], box, outputs[k]); });
      run.progress.step();
    }
  }
};

}  // namespace

std::unique_ptr<Backend> make_reference_backend() {
  return std::make_unique<ReferenceBackend>();
}

}  // namespace specex
