// SPDX-License-Identifier: BSD-3-Clause
//
// The steps of a run over many frames that are the same for one process and for several.
#pragma once

#include <vector>

#include "exposure/exposure_options.hpp"

namespace specex_cli {

// Log, signals and memory of this process.
void begin_run(const ExposureOptions &options);

// The jobs of the rows; checks them, and the place of the report.
std::vector<FrameJob> jobs_of(const ExposureOptions &options,
                              const std::vector<ManifestRow> &rows);

// Removes what is left of earlier runs. By one process, before any begins.
void clear_outputs(const std::vector<FrameJob> &jobs);

// Logs the summary; throws a Failure with it where not all is good.
void conclude(const Report &report);

}  // namespace specex_cli
