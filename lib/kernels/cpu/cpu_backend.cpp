// SPDX-License-Identifier: BSD-3-Clause
//
// The CPU engine. Work is dealt out in pieces: patches of a bundle that share spots, up
// to 8 steps along the wavelength, solved together in vector lanes. Where a piece's
// geometry or a patch's numbers are not what the vector path needs, that patch is solved
// from its own banded normal equations, and at last by dense eigenvectors. Pieces are
// independent and each is computed in one fixed order, so that results do not depend on
// the number of threads.
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <tuple>

#include "base/floating_point.hpp"
#include "base/threads.hpp"
#include "kernels/cpu/banded_solve.hpp"
#include "kernels/cpu/instruction_set.hpp"
#include "kernels/cpu/patch_model.hpp"
#include "kernels/cpu/piece_model.hpp"
#include "kernels/shared/dense_solve.hpp"
#include "kernels/shared/run_patch.hpp"

namespace specex {
namespace {

using Indices = std::vector<size_t>;  // of patches

// Patches that may be lanes of one group agree in this.
auto lane_key(const specex_patch &patch) {
  return std::tuple(patch.pad_first_fiber, patch.pad_nfiber, patch.first_fiber,
                    patch.nfiber, patch.first_bin - patch.pad_first_bin, patch.nbin);
}

// And patches of one piece in this.
auto piece_key(const specex_patch &patch) {
  return std::tuple(patch.first_bundle_fiber, patch.wavemin, patch.wavestep,
                    patch.pad_nbin);
}

std::vector<Indices> make_pieces(std::span<const specex_patch> patches) {
  Indices order(patches.size());
  for (size_t k = 0; k < order.size(); ++k) order[k] = k;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::tuple(piece_key(patches[a]), patches[a].pad_first_bin) <
           std::tuple(piece_key(patches[b]), patches[b].pad_first_bin);
  });
  std::vector<Indices> pieces;
  int steps = 0;  // different first bins of the last piece
  for (const size_t k : order) {
    const specex_patch &patch = patches[k];
    const specex_patch *last = pieces.empty() ? nullptr : &patches[pieces.back().back()];
    const bool same_step = last != nullptr && last->pad_first_bin == patch.pad_first_bin;
    const bool joins =
        last != nullptr && piece_key(*last) == piece_key(patch) &&
        (same_step || (steps < simd::width &&
                       patch.pad_first_bin <= last->pad_first_bin + last->pad_nbin));
    if (!joins) {
      pieces.emplace_back();
      steps = 0;
    }
    steps += joins && same_step ? 0 : 1;
    pieces.back().push_back(k);
  }
  return pieces;
}

PieceShape shape_of(std::span<const specex_patch> patches, const Indices &piece) {
  const specex_patch &one = patches[piece.front()];
  int first = one.pad_first_fiber;
  int end = first;
  for (const size_t k : piece) {
    first = std::min(first, patches[k].pad_first_fiber);
    end = std::max(end, patches[k].pad_first_fiber + patches[k].pad_nfiber);
  }
  const specex_patch &last = patches[piece.back()];
  return {first,
          end - first,
          one.pad_first_bin,
          last.pad_first_bin + last.pad_nbin - one.pad_first_bin,
          one.wavemin,
          one.wavestep};
}

// The way that always holds: one patch from its own banded normal equations.
void extract_alone(const Run &run, const specex_patch &patch, const Box &box,
                   specex_result &result) {
  const PatchShape shape(patch);
  SpotTable spots;
  spots.evaluate(run.spots, run.psf, patch.wavemin, patch.wavestep, patch.pad_first_fiber,
                 patch.pad_nfiber, patch.pad_first_bin, patch.pad_nbin);
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
  finish(run, patch, normal.sums, measured, *solution, result);
  if (result.chi2pix != nullptr)
    fill_chi2pix(run, patch, spots, pixels, *solution, result.chi2pix);
  if (result.model != nullptr)
    fill_model(run, patch, spots, box, *solution, result.model);
  result.path = path;
}

// One thread's memory, and what it does with a piece.
class Worker {
 public:
  Worker(const Run &run, const simd::Kernels &kernels,
         std::span<const specex_patch> patches, std::span<specex_result> results)
      : run_(run),
        patches_(patches),
        results_(results),
        piece_(run, kernels),
        group_(run, kernels),
        model_(run, kernels) {}

  void extract(const Indices &piece) {
    Indices wanted;
    for (const size_t k : piece) {
      if (!on_ccd(run_.rules, patches_[k], patch_box(patches_[k], run_.image)))
        done(k, [](const Box &) {});
      else
        wanted.push_back(k);
    }
    if (wanted.empty()) return;
    if (run_.progress.cancelled() || run_.rules.noise ||
        !piece_.prepare(shape_of(patches_, wanted))) {
      for (const size_t k : wanted) alone(k);
      return;
    }
    std::stable_sort(wanted.begin(), wanted.end(), [&](size_t a, size_t b) {
      return lane_key(patches_[a]) < lane_key(patches_[b]);
    });
    for (size_t first = 0; first < wanted.size();) {
      size_t end = first + 1;
      while (end < wanted.size() && end - first < simd::width &&
             lane_key(patches_[wanted[end]]) == lane_key(patches_[wanted[first]]))
        ++end;
      together(std::span(wanted).subspan(first, end - first));
      first = end;
    }
  }

 private:
  void together(std::span<const size_t> group) {
    std::vector<const specex_patch *> patches;
    for (const size_t k : group) patches.push_back(&patches_[k]);
    const std::span<Lane> lanes = group_.solve(piece_, patches);
    for (size_t i = 0; i < group.size(); ++i) {
      const size_t k = group[i];
      const Lane &lane = lanes[i];
      if (!lane.solved) {
        alone(k);
        continue;
      }
      done(k, [&](const Box &box) {
        finish(run_, patches_[k], lane.sums, lane.measured, lane.solution, results_[k]);
        model_.fill(piece_, lane, box, results_[k]);
        results_[k].path = SPECEX_PATH_VECTOR;
      });
    }
  }

  void alone(size_t k) {
    done(k, [&](const Box &box) { extract_alone(run_, patches_[k], box, results_[k]); });
  }

  template <class Solve>
  void done(size_t k, Solve &&solve) {
    if (run_.progress.cancelled()) {
      finish_unsolved(run_, patches_[k], SPECEX_CANCELLED, results_[k]);
      return;
    }
    run_patch(run_, patches_[k], results_[k], solve);
    run_.progress.step();
  }

  const Run &run_;
  std::span<const specex_patch> patches_;
  std::span<specex_result> results_;
  Piece piece_;
  LaneGroup group_;
  PieceModel model_;
};

class CpuBackend final : public Backend {
 public:
  explicit CpuBackend(int num_threads)
      : num_threads_(num_threads), kernels_(choose_kernels()) {}

  const char *name() const override { return "cpu"; }
  const char *vectors() const override { return kernels_.name; }

  void extract(const Run &run, std::span<const specex_patch> patches,
               std::span<specex_result> results) const override {
    const std::vector<Indices> pieces = make_pieces(patches);
    std::atomic<size_t> next{0};
    FirstError failure;
    const auto work = [&]() noexcept {
      try {
        const FloatingPointScope floating_point;
        Worker worker(run, kernels_, patches, results);
        for (size_t k = next++; k < pieces.size(); k = next++) worker.extract(pieces[k]);
      } catch (...) {
        failure.keep_current();
      }
    };
    const int threads = std::min<int>(num_threads_, static_cast<int>(pieces.size()));
    if (threads <= 1) {
      work();  // no parallel region: the OpenMP runtime is never started
    } else {
      note_parallel_region();
#pragma omp parallel num_threads(threads)
      work();
    }
    failure.throw_if_any();
  }

 private:
  int num_threads_;
  const simd::Kernels &kernels_;
};

}  // namespace

std::unique_ptr<Backend> make_cpu_backend(int num_threads) {
  return std::make_unique<CpuBackend>(num_threads);
}

}  // namespace specex
