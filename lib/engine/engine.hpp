// SPDX-License-Identifier: BSD-3-Clause
//
// Runs plans on a backend: chooses it, checks what comes in, and says where what comes
// out goes.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/log.hpp"
#include "kernels/backend.hpp"
#include "model/plan.hpp"

namespace specex {

class Engine {
 public:
  explicit Engine(const specex_options &options);

  std::string describe() const;

  void set_psf(Psf psf);
  const Psf &psf() const;  // throws STATE when none was set
  double psferr() const;

  std::vector<specex_patch> plan(const specex_grid &grid, int first_fiber,
                                 int nspec) const;

  specex_status extract_patches(const specex_image &image,
                                std::span<const specex_patch> patches,
                                std::span<specex_result> results, const Log &log,
                                Progress &progress, StageTotals &stages);

  specex_status extract_frame(const specex_image &image, const specex_grid &grid,
                              specex_frame &frame, const Log &log, Progress &progress,
                              StageTotals &stages);

  void project(const specex_grid &grid, int first_fiber, int nspec, const double *spectra,
               int64_t nx, int64_t ny, double *image, Progress &progress) const;

 private:
  void check_image(const specex_image &image) const;
  int64_t count_bad(const specex_image &image, const Box &box) const;
  void begin_frame(const specex_grid &grid, specex_frame &frame) const;
  void flag(specex_frame &frame) const;
  void run(const specex_image &image, std::span<const specex_patch> patches,
           std::span<PatchOutput> outputs, const specex_frame *frame, const Log &log,
           Progress &progress, StageTotals &stages);

  // On the heap, so that the spot model's reference outlives a move.
  struct LoadedPsf {
    explicit LoadedPsf(Psf given) : psf(std::move(given)), spots(make_spot_model(psf)) {}
    Psf psf;
    std::unique_ptr<SpotModel> spots;
  };

  specex_options options_;
  int num_threads_;
  std::string no_gpu_;  // why the CPU was chosen, where a GPU was to be
  bool told_of_gpu_ = false;
  std::unique_ptr<Backend> backend_;
  std::unique_ptr<LoadedPsf> loaded_;
};

}  // namespace specex
