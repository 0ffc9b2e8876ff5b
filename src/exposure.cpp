// SPDX-License-Identifier: BSD-3-Clause
//
// specex exposure: many frames in one run, with reading and writing behind computing.
#include <memory>

#include "exposure/exposure_options.hpp"
#include "exposure/run.hpp"
#include "subcommands.hpp"

namespace specex_cli {
namespace {

void run_exposure(const ExposureOptions &options) {
  begin_run(options);
  const std::vector<FrameJob> jobs = jobs_of(options, rows_of(options));
  clear_outputs(jobs);
  const PipelineShape shape = shape_of(options, jobs, {});
  LocalCoordinator coordinator(jobs);
  Pipeline(jobs, shape, coordinator).run();
  write_report(options, coordinator.report(), shape, 1);
  conclude(coordinator.report());
}

}  // namespace

void add_exposure(CLI::App &app) {
  CLI::App *command =
      app.add_subcommand("exposure", "Extract many frames: an exposure, a night");
  command->footer(
      "Examples\n"
      "  The frames of a list:\n"
      "    specex exposure night.csv --timing night.json\n"
      "  An exposure of DESI, two of its colours:\n"
      "    specex exposure --preproc-dir preproc --psf-dir exposures \\\n"
      "        --frame-dir out --night 20201216 --expid 68217 --cameras b,r\n\n"
      "Options of extract that are given here hold for all frames; a list may have\n"
      "others for some. A frame that fails is reported and the others go on. Exit\n"
      "status: 0 all good, 10 some failed or are degraded, else as specex extract.\n"
      "See specex(1).");
  auto options = std::make_shared<ExposureOptions>();
  add_exposure_options(*command, *options);
  command->callback([options] { run_exposure(*options); });
}

}  // namespace specex_cli
