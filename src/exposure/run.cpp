// SPDX-License-Identifier: BSD-3-Clause
#include "exposure/run.hpp"

#include <malloc.h>

#include "exposure/temporaries.hpp"
#include "log.hpp"
#include "outputs.hpp"
#include "progress.hpp"

namespace specex_cli {

void begin_run(const ExposureOptions &options) {
  set_log_level(options.run.log_level, SPECEX_LOG_INFO);
  stop_on_signals();
  // Large arrays go back to the system as soon as they are freed, so that memory does not
  // grow with the number of frames.
  ::mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

std::vector<FrameJob> jobs_of(const ExposureOptions &options,
                              const std::vector<ManifestRow> &rows) {
  std::vector<FrameJob> jobs = make_jobs(rows, options.frame, options.run);
  const std::string &timing = options.run.timing;
  if (!timing.empty()) check_output(timing);
  for (const std::string &output : outputs_of(jobs)) check_apart(output, timing);
  return jobs;
}

void clear_outputs(const std::vector<FrameJob> &jobs) {
  remove_temporaries(outputs_of(jobs), WrittenBy::ended_processes);
}

void conclude(const Report &report) {
  if (stop_signal() != 0) throw Failure(stop_exit_code(), "stopped; " + report.summary());
  if (report.exit_code() != exit_good)
    throw Failure(report.exit_code(), report.summary());
  log_info(report.summary());
}

}  // namespace specex_cli
