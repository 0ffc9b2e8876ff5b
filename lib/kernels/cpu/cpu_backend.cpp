// SPDX-License-Identifier: BSD-3-Clause
//
// The CPU engine. Long patches are cut into windows, and work is dealt out in pieces:
// windows of a bundle that share spots, up to 8 steps along the wavelength, solved
// together in vector lanes. Where a window's numbers ask for more than single precision,
// it is solved there once more, in double; where fibres see more than their neighbours,
// by pairs of them; where numbers or a piece's geometry are nothing for lanes, by
// elimination of whole fibres in dense blocks, and at last by dense eigenvectors. Pieces
// are independent and each is computed in one fixed order, so that results do not depend
// on the number of threads.
#include <omp.h>

#include <algorithm>
#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>

#include "base/floating_point.hpp"
#include "base/stage_clock.hpp"
#include "base/threads.hpp"
#include "kernels/cpu/block_solve.hpp"
#include "kernels/cpu/instruction_set.hpp"
#include "kernels/cpu/patch_model.hpp"
#include "kernels/cpu/piece_model.hpp"
#include "kernels/shared/dense_solve.hpp"
#include "kernels/shared/run_patch.hpp"
#include "kernels/shared/shortcut_bounds.hpp"
#include "kernels/shared/windows.hpp"

namespace specex {
namespace {

using Indices = std::vector<size_t>;  // of windows
using Windows = std::vector<const Window *>;

// Windows that may be lanes of one group agree in this: windows of a long patch are among
// themselves.
auto lane_key(const Window &window) {
  const specex_patch &shape = window.shape;
  return std::tuple(shape.pad_nfiber, shape.nfiber,
                    shape.first_fiber - shape.pad_first_fiber,
                    window.whole ? size_t{0} : window.patch + 1);
}

// And windows of one piece in this.
auto piece_key(const specex_patch &patch) {
  return std::tuple(patch.first_bundle_fiber, patch.wavemin, patch.wavestep,
                    patch.pad_nbin);
}

std::vector<Indices> make_pieces(std::span<const Window> windows) {
  Indices order(windows.size());
  for (size_t k = 0; k < order.size(); ++k) order[k] = k;
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const auto key = [&](size_t k) {
      return std::tuple(piece_key(windows[k].shape), windows[k].shape.pad_first_bin);
    };
    return key(a) < key(b);
  });
  std::vector<Indices> pieces;
  int steps = 0;  // different first bins of the last piece
  for (const size_t k : order) {
    const specex_patch &own = windows[k].shape;
    const specex_patch *last =
        pieces.empty() ? nullptr : &windows[pieces.back().back()].shape;
    const bool same_step = last != nullptr && last->pad_first_bin == own.pad_first_bin;
    const bool joins =
        last != nullptr && piece_key(*last) == piece_key(own) &&
        (same_step || (steps < simd::width &&
                       own.pad_first_bin <= last->pad_first_bin + last->pad_nbin));
    if (!joins) {
      pieces.emplace_back();
      steps = 0;
    }
    steps += joins && same_step ? 0 : 1;
    pieces.back().push_back(k);
  }
  return pieces;
}

PieceShape shape_of(const Windows &windows) {
  const specex_patch &one = windows.front()->shape;
  int first = one.pad_first_fiber;
  int end = first;
  for (const Window *window : windows) {
    const specex_patch &own = window->shape;
    first = std::min(first, own.pad_first_fiber);
    end = std::max(end, own.pad_first_fiber + own.pad_nfiber);
  }
  const specex_patch &last = windows.back()->shape;
  return {first,
          end - first,
          one.pad_first_bin,
          last.pad_first_bin + last.pad_nbin - one.pad_first_bin,
          one.wavemin,
          one.wavestep};
}

static_assert(windows_of_group == simd::width);

// What became of each patch, once all of its windows are done: the worst of them.
class Outcomes {
 public:
  Outcomes(const Run &run, std::span<const Window> windows, size_t npatch)
      : run_(run), patches_(npatch) {
    for (const Window &window : windows) ++patches_[window.patch].left;
  }

  // A window was cut into more parts.
  void expect(size_t patch, size_t more) {
    const std::lock_guard lock(mutex_);
    patches_[patch].left += more;
  }

  void add(size_t patch, specex_status status, int32_t path) {
    bool last = false;
    {
      const std::lock_guard lock(mutex_);
      Outcome &own = patches_[patch];
      own.status = std::max(own.status, status);
      own.path = worse_path(own.path, path);
      last = --own.left == 0;
    }
    if (last) run_.progress.step();
  }

  void store(std::span<PatchOutput> outputs) const {
    for (size_t k = 0; k < outputs.size(); ++k) {
      outputs[k].status = std::max(outputs[k].status, patches_[k].status);
      outputs[k].path = worse_path(outputs[k].path, patches_[k].path);
    }
  }

 private:
  struct Outcome {
    size_t left = 0;
    specex_status status = SPECEX_OK;
    int32_t path = SPECEX_PATH_NONE;
  };

  const Run &run_;
  std::vector<Outcome> patches_;
  std::mutex mutex_;
};

// All that the workers share.
struct Work {
  const Run &run;
  std::span<const specex_patch> patches;
  std::span<const PatchOutput> outputs;
  std::span<const Window> windows;
  Outcomes &outcomes;
  ModelCommits &commits;
  KeptSpots &kept_spots;
};

// One thread's memory, and what it does with a piece. It is kept from run to run: to be
// given new pages takes the system longer than some stages do.
class Worker {
 public:
  explicit Worker(const simd::Kernels &kernels)
      : piece_(kernels), group_(kernels), model_(kernels) {}

  void extract(const Work &work, size_t number, const Indices &piece) {
    work_ = &work;
    solve(number, piece);
    const StageScope stage(SPECEX_STAGE_MODEL);
    work_->commits.commit(number, std::move(models_));
    models_.clear();
  }

 private:
  void solve(size_t number, const Indices &piece) {
    Windows wanted;
    for (const size_t k : piece) {
      const Window &window = work_->windows[k];
      if (!on_ccd(work_->run.rules, window.shape,
                  patch_box(window.shape, work_->run.image)))
        deliver(window, window.shape, [](const Box &, PatchOutput &) {});
      else
        wanted.push_back(&window);
    }
    if (wanted.empty()) return;
    if (work_->run.progress.cancelled() || work_->run.rules.noise ||
        !piece_.prepare(work_->run, shape_of(wanted), work_->kept_spots, number)) {
      for (const Window *window : wanted) alone(*window);
      return;
    }
    stamps_ = PieceModel::stamps_box(piece_);
    in_lanes(wanted, Means::of_piece);
    in_lanes(std::exchange(imprecise_, {}), Means::in_double);
    in_lanes(std::exchange(coupled_, {}), Means::in_pairs);
    for (Windows *rest : {&imprecise_, &unfit_}) {
      for (const Window *window : *rest) alone(*window);
      rest->clear();
    }
    // Those that share stamps follow each other.
    const std::span<Lane> solved(lanes_.data(), std::exchange(nsolved_, 0));
    std::stable_sort(solved.begin(), solved.end(), [](const Lane &a, const Lane &b) {
      return a.patch->first_bin < b.patch->first_bin;
    });
    for (const Lane &lane : solved) finish_lane(lane);
  }

  // Solves as many at a time as may be. Those that could not be are imprecise_ or
  // coupled_, where that may be cured, or unfit_.
  void in_lanes(Windows windows, Means means) {
    std::stable_sort(windows.begin(), windows.end(),
                     [](const Window *a, const Window *b) {
                       return std::tuple(lane_key(*a), a->shape.pad_first_fiber) <
                              std::tuple(lane_key(*b), b->shape.pad_first_fiber);
                     });
    for (size_t first = 0; first < windows.size();) {
      size_t end = first + 1;
      while (end < windows.size() && end - first < simd::width &&
             lane_key(*windows[end]) == lane_key(*windows[first]))
        ++end;
      for (Lane &lane :
           group_.solve(piece_, std::span(windows).subspan(first, end - first), means)) {
        if (lane.solved)
          keep(lane);
        else
          (lane.unfit     ? unfit_
           : lane.coupled ? coupled_
                          : imprecise_)
              .push_back(lane.window);
      }
      first = end;
    }
  }

  // In exchange for one whose memory is there from an earlier piece.
  void keep(Lane &lane) {
    if (nsolved_ == lanes_.size()) lanes_.emplace_back();
    std::swap(lanes_[nsolved_++], lane);
  }

  void finish_lane(const Lane &lane) {
    deliver(*lane.window, *lane.patch, [&](const Box &box, PatchOutput &output) {
      const StageScope stage(SPECEX_STAGE_FINISH);
      finish(work_->run, *lane.patch, lane.sums, lane.measured, lane.solution, output);
      if (lane.means == Means::of_piece) {
        model_.fill(piece_, lane, box, output, model_of_piece(output.model));
        output.path = SPECEX_PATH_VECTOR;
      } else {
        const OwnPixels own(work_->run, *lane.patch, piece_.spots(*lane.patch));
        fill_by_own(*lane.patch, own, lane.solution, output);
        output.path = SPECEX_PATH_BANDED;
      }
    });
  }

  // The image that the piece's lanes add to: one, as long as their target is the same.
  ModelPart *model_of_piece(const ModelTarget &target) {
    if (target.pixels == nullptr) return nullptr;
    const Box box = with_rows_of(stamps_, target.box);
    if (models_.empty() || models_.back().target.pixels != target.pixels ||
        models_.back().box != box)
      models_.push_back(work_->commits.start(target, box));
    return &models_.back();
  }

  // The way that always holds: a patch from its own normal equations, a window in short
  // parts.
  void alone(const Window &window) {
    const specex_patch &patch = work_->patches[window.patch];
    const int padding = window_padding(work_->run.psf, patch);
    const std::vector<specex_patch> parts = cut_short(patch, window, padding);
    work_->outcomes.expect(window.patch, parts.size() - 1);
    for (const specex_patch &part : parts)
      deliver(window, part, [&](const Box &, PatchOutput &output) {
        if (window.whole)
          extract_alone(part, {}, output);
        else
          extract_part(patch, part, padding, output);
      });
  }

  // With more padding until what was cut away cannot be noticed.
  void extract_part(const specex_patch &patch, specex_patch part, int padding,
                    PatchOutput &output) {
    constexpr int longest = 512;  // bins
    for (int around = padding;; around *= 2) {
      part = with_padding(patch, part, around);
      Cuts cuts;
      cuts.low = part.pad_first_bin > patch.pad_first_bin;
      cuts.high =
          part.pad_first_bin + part.pad_nbin < patch.pad_first_bin + patch.pad_nbin;
      cuts.reach = padding / 6;  // bins that a spot covers
      if (around >= longest) cuts.low = cuts.high = false;
      if (extract_alone(part, cuts, output)) return;
    }
  }

  // False, and nothing done, where the cuts could be noticed.
  bool extract_alone(const specex_patch &patch, const Cuts &cuts, PatchOutput &output) {
    const StageScope stage(SPECEX_STAGE_FALLBACK);
    const Run &run = work_->run;
    SpotTable spots;
    spots.evaluate(run.spots, run.psf, patch.wavemin, patch.wavestep,
                   patch.pad_first_fiber, patch.pad_nfiber, patch.pad_first_bin,
                   patch.pad_nbin);
    const OwnEquations own(run, patch, std::move(spots));
    const NormalEquations &normal = own.normal;
    std::optional<Solution> solution;
    double cut_effect = 0.0;
    if (!run.rules.noise) solution = block_solve(patch, normal, cuts, &cut_effect);
    if (solution && !(cut_effect <= max_cut_effect)) return false;
    const int32_t path = solution ? SPECEX_PATH_BANDED : SPECEX_PATH_DENSE;
    if (!solution)
      solution = dense_solve(run.rules, patch, normal.dense_by_fiber(PatchShape(patch)),
                             normal.sums.data);
    finish(run, patch, normal.sums, own.measured, *solution, output);
    fill_by_own(patch, own, *solution, output);
    output.path = path;
    return true;
  }

  // chi2pix and model image.
  void fill_by_own(const specex_patch &patch, const OwnPixels &own,
                   const Solution &solution, PatchOutput &output) {
    const Run &run = work_->run;
    if (output.chi2pix != nullptr)
      fill_chi2pix(run, patch, own.spots, own.pixels, solution, output);
    if (output.model.pixels == nullptr) return;
    models_.push_back(work_->commits.start(output.model, own.pixels.box()));
    add_model(run, patch, own.spots, own.pixels.box(), solution,
              models_.back().pixels.data());
  }

  // Solves part of a window into its place in the patch's output.
  template <class Solve>
  void deliver(const Window &window, const specex_patch &part, Solve &&solve) {
    const specex_patch &patch = work_->patches[window.patch];
    PatchOutput output(work_->outputs[window.patch], part.first_fiber - patch.first_fiber,
                       part.nfiber, part.first_bin - patch.first_bin, part.nbin);
    if (work_->run.progress.cancelled())
      finish_unsolved(work_->run, part, SPECEX_CANCELLED, output);
    else
      run_patch(work_->run, part, output, [&](const Box &box) { solve(box, output); });
    work_->outcomes.add(window.patch, output.status, output.path);
  }

  const Work *work_ = nullptr;  // of the piece
  Piece piece_;
  LaneGroup group_;
  PieceModel model_;
  Box stamps_{};             // of the piece
  std::vector<Lane> lanes_;  // of the piece, the first nsolved_
  size_t nsolved_ = 0;
  Windows imprecise_;
  Windows coupled_;
  Windows unfit_;
  std::vector<ModelPart> models_;
};

class VectorBackend final : public CpuBackend {
 public:
  VectorBackend(int num_threads, int64_t spot_memory)
      : num_threads_(num_threads), kernels_(choose_kernels()), kept_spots_(spot_memory) {}

  const char *name() const override { return "cpu"; }
  const char *vectors() const override { return kernels_.name; }
  void forget_psf() override { kept_spots_.forget(); }

  void extract(const Run &run, std::span<const specex_patch> patches,
               std::span<PatchOutput> outputs) override {
    std::vector<Window> windows;
    for (size_t k = 0; k < patches.size(); ++k)
      cut_into_windows(run.rules, run.psf, k, patches[k], windows);
    extract_windows(run, patches, outputs, windows);
  }

  void extract_windows(const Run &run, std::span<const specex_patch> patches,
                       std::span<PatchOutput> outputs,
                       std::span<const Window> windows) override {
    const std::vector<Indices> pieces = make_pieces(windows);
    kept_spots_.begin(pieces.size());
    Outcomes outcomes(run, windows, patches.size());
    ModelCommits commits;
    const Work shared{run, patches, outputs, windows, outcomes, commits, kept_spots_};
    const int threads = std::min<int>(num_threads_, static_cast<int>(pieces.size()));
    workers_.resize(std::max(workers_.size(), static_cast<size_t>(threads)));
    std::atomic<size_t> next{0};
    FirstError failure;
    const auto work = [&](std::unique_ptr<Worker> &worker) noexcept {
      try {
        if (worker == nullptr) worker = std::make_unique<Worker>(kernels_);
        const FloatingPointScope floating_point;
        const StageClock clock(run.stages);
        for (size_t k = next++; k < pieces.size(); k = next++)
          worker->extract(shared, k, pieces[k]);
      } catch (...) {
        failure.keep_current();
        worker.reset();  // with what it has not finished
      }
    };
    if (threads == 1) {
      work(workers_[0]);  // no parallel region: the OpenMP runtime is never started
    } else if (threads > 1) {
      note_parallel_region();
#pragma omp parallel num_threads(threads)
      work(workers_[static_cast<size_t>(omp_get_thread_num())]);
    }
    failure.throw_if_any();
    outcomes.store(outputs);
  }

 private:
  int num_threads_;
  const simd::Kernels &kernels_;
  KeptSpots kept_spots_;
  std::vector<std::unique_ptr<Worker>> workers_;  // of each thread
};

}  // namespace

std::unique_ptr<CpuBackend> make_cpu_backend(int num_threads, int64_t spot_memory) {
  return std::make_unique<VectorBackend>(num_threads, spot_memory);
}

}  // namespace specex
