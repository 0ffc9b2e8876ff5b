// SPDX-License-Identifier: BSD-3-Clause
//
// The CPU engine. Work is dealt out in slabs: the patches of a bundle that cover the same
// bins share one table of spots. Slabs are independent and each is computed in one fixed
// order, so that the result does not depend on the number of threads.
#include <omp.h>

#include <algorithm>
#include <atomic>

#include "base/floating_point.hpp"
#include "kernels/cpu/banded_solve.hpp"
#include "kernels/cpu/model_image.hpp"
#include "kernels/shared/dense_solve.hpp"
#include "kernels/shared/run_patch.hpp"

namespace specex {
namespace {

using Slab = std::vector<size_t>;  // indices of patches

std::vector<Slab> make_slabs(std::span<const specex_patch> patches) {
  Slab order(patches.size());
  for (size_t k = 0; k < order.size(); ++k) order[k] = k;
  const auto key = [&](size_t k) {
    const specex_patch &patch = patches[k];
    return std::tuple(patch.first_bundle_fiber, patch.pad_first_bin, patch.pad_nbin,
                      patch.wavemin, patch.wavestep);
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return key(a) < key(b); });
  std::vector<Slab> slabs;
  for (const size_t k : order) {
    if (slabs.empty() || key(slabs.back().front()) != key(k)) slabs.emplace_back();
    slabs.back().push_back(k);
  }
  return slabs;
}

void extract_patch(const Run &run, const specex_patch &patch, const Box &box,
                   const SpotTable &spots, specex_result &result) {
  const PatchShape shape(patch);
  const PatchPixels pixels(run.image, box);
  BandedNormal normal = make_normal_equations(spots, patch, pixels);
  const std::vector<bool> measured = condition(run.rules, normal.sums);
  apply_conditioning(shape, measured, normal);

  std::optional<Solution> solution;
  if (!run.rules.noise) solution = banded_solve(patch, normal);
  const int32_t path = solution ? SPECEX_PATH_BANDED : SPECEX_PATH_DENSE;
  if (!solution)
    solution =
        dense_solve(run.rules, patch, normal.dense_by_fiber(shape), normal.sums.data);
  finish(run, patch, normal.sums, measured, *solution, spots, result);
  if (result.chi2pix != nullptr)
    fill_chi2pix(run, patch, spots, pixels, *solution, result.chi2pix);
  if (result.model != nullptr)
    fill_model(run, patch, spots, box, *solution, result.model);
  result.path = path;
}

void extract_slab(const Run &run, std::span<const specex_patch> patches, const Slab &slab,
                  SpotTable &spots, std::span<specex_result> results) {
  const specex_patch &one = patches[slab.front()];
  int first = one.pad_first_fiber;
  int end = first;
  for (const size_t k : slab) {
    first = std::min(first, patches[k].pad_first_fiber);
    end = std::max(end, patches[k].pad_first_fiber + patches[k].pad_nfiber);
  }
  bool evaluated = false;
  for (const size_t k : slab) {
    if (run.progress.cancelled()) {
      finish_unsolved(run, patches[k], SPECEX_CANCELLED, results[k]);
      continue;
    }
    run_patch(run, patches[k], results[k], [&](const Box &box) {
      if (!evaluated)
        spots.evaluate(run.spots, run.psf, one.wavemin, one.wavestep, first, end - first,
                       one.pad_first_bin, one.pad_nbin);
      evaluated = true;
      extract_patch(run, patches[k], box, spots, results[k]);
    });
    run.progress.step();
  }
}

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(int num_threads) : num_threads_(num_threads) {}

  const char *name() const override { return "cpu"; }

  void extract(const Run &run, std::span<const specex_patch> patches,
               std::span<specex_result> results) const override {
    const std::vector<Slab> slabs = make_slabs(patches);
    std::atomic<size_t> next{0};
    std::atomic<int> failed{SPECEX_OK};
    const auto work = [&]() noexcept {
      try {
        const FloatingPointScope floating_point;
        SpotTable spots;
        for (size_t k = next++; k < slabs.size(); k = next++)
          extract_slab(run, patches, slabs[k], spots, results);
      } catch (...) {
        failed = current_error().status();
      }
    };
    const int threads = std::min<int>(num_threads_, static_cast<int>(slabs.size()));
    if (threads <= 1) {
      work();  // no parallel region: the OpenMP runtime is never started
    } else {
#pragma omp parallel num_threads(threads)
      work();
    }
    if (failed != SPECEX_OK) fail(failed, "a worker thread failed");
  }

 private:
  int num_threads_;
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(int num_threads) {
  return std::make_unique<CpuBackend>(num_threads);
}

}  // namespace specex
