// SPDX-License-Identifier: BSD-3-Clause
//
// The seam between the engine and the implementations: one coarse operation.
#pragma once

#include <specex/specex.h>

#include <memory>
#include <span>

#include "base/log.hpp"
#include "base/stage_clock.hpp"
#include "kernels/shared/patch_output.hpp"
#include "kernels/shared/rules.hpp"
#include "kernels/shared/spot_model.hpp"
#include "model/psf.hpp"

namespace specex {

// What all patches of a run have in common.
struct Run {
  const Psf &psf;
  const SpotModel &spots;
  const specex_image &image;
  const Rules &rules;
  Progress &progress;   // step() once a patch; stop early where it answers false
  StageTotals &stages;  // every thread adds its time, by a StageClock
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const char *name() const = 0;
  virtual const char *vectors() const = 0;  // instructions it was given, "none" without
  // Solves every patch into its output; models are added to images that were set to 0.
  // A patch that fails gets its status and masked outputs; the function itself throws
  // only what concerns the whole run.
  virtual void extract(const Run &run, std::span<const specex_patch> patches,
                       std::span<PatchOutput> outputs) const = 0;
};

std::unique_ptr<Backend> make_reference_backend();
std::unique_ptr<Backend> make_cpu_backend(int num_threads);

}  // namespace specex
