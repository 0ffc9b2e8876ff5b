// SPDX-License-Identifier: BSD-3-Clause
#include "exposure/kept_context.hpp"

#include <string_view>

namespace specex_cli {
namespace {

std::string_view bytes_of(const specex_options &options) {
  return {reinterpret_cast<const char *>(&options), sizeof options};
}

}  // namespace

Context file_context() {
  specex_options options = default_options();
  options.backend = SPECEX_BACKEND_CPU;
  options.num_threads = 1;
  return Context(options, ProgressBar::hidden);
}

const Context &KeptContext::context_for(const ExtractionSettings &settings,
                                        const std::shared_ptr<const Psf> &psf) {
  specex_options options = settings.options;
  options.num_threads = threads_;
  options.spot_memory = spot_memory_;
  if (!context_ || bytes_of(options) != bytes_of(options_)) {
    psf_ = nullptr;
    context_.reset();
    context_.emplace(options, ProgressBar::hidden);
    options_ = options;
  }
  if (psf_ != psf) {
    psf_ = nullptr;
    set_psf(*context_, psf->file, settings.psf_path);
    psf_ = psf;
  }
  return *context_;
}

}  // namespace specex_cli
