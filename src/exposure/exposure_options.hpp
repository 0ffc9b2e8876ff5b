// SPDX-License-Identifier: BSD-3-Clause
//
// The options of a run over many frames, and what follows from them.
#pragma once

#include <string>
#include <vector>

#include "exposure/desi_folders.hpp"
#include "exposure/pipeline.hpp"
#include "exposure/report.hpp"
#include "extract_options.hpp"

namespace CLI {
class App;
}

namespace specex_cli {

struct ExposureOptions {
  std::string manifest;
  DesiFolders folders;
  FrameOptions frame;
  RunOptions run;
  bool resume = true;
  int64_t memory = 0;       // bytes
  int64_t spot_memory = 0;  // of it
  int extractors = 0;
  int readers = 0;
  int writers = 0;
};

void add_exposure_options(CLI::App &command, ExposureOptions &options);

// The frames asked for, of the manifest or the folders.
std::vector<ManifestRow> rows_of(const ExposureOptions &options);

// How many processes of the same run, this one included, may use the same cores, and the
// same memory, and share the frames.
struct Neighbours {
  int on_cores = 1;
  int on_machine = 1;
  int number = 0;  // of this one, on the machine
  int with_frames = 1;
};

// What the pipeline of this process is to be.
PipelineShape shape_of(const ExposureOptions &options, const std::vector<FrameJob> &jobs,
                       const Neighbours &neighbours);

// Writes the JSON file of --timing, if one is wanted.
void write_report(const ExposureOptions &options, const Report &report,
                  const PipelineShape &shape, int processes);

}  // namespace specex_cli
