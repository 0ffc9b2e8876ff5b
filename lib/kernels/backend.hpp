// SPDX-License-Identifier: BSD-3-Clause
//
// The seam between the engine and the implementations: one coarse operation.
#pragma once

#include <specex/specex.h>

#include <memory>
#include <span>
#include <string>

#include "base/log.hpp"
#include "base/stage_clock.hpp"
#include "kernels/shared/patch_output.hpp"
#include "kernels/shared/rules.hpp"
#include "kernels/shared/spot_model.hpp"
#include "kernels/shared/windows.hpp"
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
  const Log &log;
  const specex_frame *frame = nullptr;  // that all outputs are parts of, if they are
};

// Images and frames in the memory of a backend's device.
class DeviceMemory {
 public:
  virtual int64_t count_bad_pixels(const specex_image &image, const Box &box) = 0;
  virtual void clear(const specex_frame &frame) = 0;
  virtual void copy_to_device(void *to, const void *from, int64_t bytes) = 0;
  virtual void copy_from_device(void *to, const void *from, int64_t bytes) = 0;

 protected:
  ~DeviceMemory() = default;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual const char *name() const = 0;
  virtual const char *vectors() const = 0;  // instructions it was given, "none" without
  virtual std::string device() const { return {}; }  // its name, where there is one
  // NULL where arrays have to be in host memory.
  virtual DeviceMemory *device_memory() { return nullptr; }
  // The next run has another PSF than the last.
  virtual void forget_psf() {}
  // Solves every patch into its output; models are added to images that were set to 0.
  // A patch that fails gets its status and masked outputs; the function itself throws
  // only what concerns the whole run.
  virtual void extract(const Run &run, std::span<const specex_patch> patches,
                       std::span<PatchOutput> outputs) = 0;
};

std::unique_ptr<Backend> make_reference_backend();

// The cpu backend also solves windows that another backend leaves to it.
class CpuBackend : public Backend {
 public:
  // Like extract(), of these windows alone. What became of them adds to what the outputs
  // of their patches say already.
  virtual void extract_windows(const Run &run, std::span<const specex_patch> patches,
                               std::span<PatchOutput> outputs,
                               std::span<const Window> windows) = 0;
};
// spot_memory: bytes of spots that it may keep from run to run.
std::unique_ptr<CpuBackend> make_cpu_backend(int num_threads, int64_t spot_memory = 0);

// Whether this build has one; and that, which throws NO_DEVICE where this build or
// machine has none, DEVICE where it does not work.
bool has_cuda_backend();
std::unique_ptr<Backend> make_cuda_backend(const specex_options &options,
                                           int num_threads);

}  // namespace specex
