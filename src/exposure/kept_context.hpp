// SPDX-License-Identifier: BSD-3-Clause
//
// Contexts of threads that work on one frame after the other.
#pragma once

#include <memory>
#include <optional>

#include "extraction.hpp"

namespace specex_cli {

// For reading and writing: one thread, and no device.
Context file_context();

// For extracting: a context and its PSF, kept from frame to frame while they are the
// same.
class KeptContext {
 public:
  explicit KeptContext(int threads, int64_t spot_memory = 0)
      : threads_(threads), spot_memory_(spot_memory) {}

  const Context &context_for(const ExtractionSettings &settings,
                             const std::shared_ptr<const Psf> &psf);

 private:
  int threads_;
  int64_t spot_memory_;  // bytes
  std::optional<Context> context_;
  specex_options options_{};
  std::shared_ptr<const Psf> psf_;
};

}  // namespace specex_cli
