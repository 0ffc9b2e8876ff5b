// SPDX-License-Identifier: BSD-3-Clause
//
// The options of an extraction, as typed on a command line or in a manifest.
#pragma once

#include <string>

#include "frame_output.hpp"

namespace CLI {
class App;
class Validator;
}  // namespace CLI

namespace specex_cli {

// Of one frame; what is not typed keeps the library's default.
struct FrameOptions {
  ExtractionSettings settings;
  FrameOutput output;
  std::string wavelengths;
  std::string badmask = std::to_string(SPECEX_BADMASK_DEFAULT);
  std::string compat = "none";
  std::string decorrelate = "signal";
  bool strict = false;
  bool no_scores = false;
};

// Of the whole run.
struct RunOptions {
  std::string backend = "auto";
  int32_t threads = 0;
  int32_t device = 0;
  int32_t num_devices = 1;
  int64_t device_memory = 0;  // bytes
  std::string timing;
  std::string log_level;
};

// For transform(): "1.5G" becomes bytes. K, M, G and T are powers of 1000; without, it is
// M.
CLI::Validator as_bytes();

// Input, PSF, output and what goes with them.
void add_file_options(CLI::App &command, FrameOptions &options);
// What to extract, and how.
void add_extraction_options(CLI::App &command, FrameOptions &options);
void add_run_options(CLI::App &command, RunOptions &options);

// Fills options.settings and options.output from what was typed, and from the environment
// where that is asked. Throws a Failure.
void interpret(FrameOptions &options, const RunOptions &run);

}  // namespace specex_cli
