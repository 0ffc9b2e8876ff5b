// SPDX-License-Identifier: BSD-3-Clause
//
// The frames that a run is to make.
#pragma once

#include <string>
#include <vector>

#include "exposure/manifest.hpp"
#include "extract_options.hpp"

namespace specex_cli {

struct FrameJob {
  std::string name;  // of its output, without folders
  ExtractionSettings settings;
  FrameOutput output;
  double cost;  // fibres times bins, as far as that can be told before reading
};

// One job a row, in their order; options that a row does not have are those given. Throws
// a Failure for a column that is no option, a value that it cannot have, an output that
// is another's or anybody's input.
std::vector<FrameJob> make_jobs(const std::vector<ManifestRow> &rows,
                                const FrameOptions &options, const RunOptions &run);

// All files that the jobs write.
std::vector<std::string> outputs_of(const std::vector<FrameJob> &jobs);

// Numbers of the jobs, the longest first, so that the last ones do not keep all waiting.
std::vector<size_t> longest_first(const std::vector<FrameJob> &jobs);

}  // namespace specex_cli
