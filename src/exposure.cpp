// SPDX-License-Identifier: BSD-3-Clause
//
// specex exposure: many frames in one run, with reading and writing behind computing.
#include <malloc.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <memory>
#include <string>

#include "exposure/desi_folders.hpp"
#include "exposure/frame_job.hpp"
#include "exposure/memory_budget.hpp"
#include "exposure/pipeline.hpp"
#include "exposure/report.hpp"
#include "exposure/temporaries.hpp"
#include "input_file.hpp"
#include "log.hpp"
#include "outputs.hpp"
#include "progress.hpp"
#include "subcommands.hpp"

namespace specex_cli {
namespace {

struct ExposureOptions {
  std::string manifest;
  DesiFolders folders;
  FrameOptions frame;
  RunOptions run;
  bool resume = true;
  int64_t memory_mb = 0;
  int extractors = 0;
  int readers = 0;
  int writers = 0;
};

constexpr int64_t megabyte = 1000000;

// Large arrays go back to the system as soon as they are freed, so that memory does not
// grow with the number of frames.
void give_freed_memory_back() { ::mallopt(M_MMAP_THRESHOLD, 1 << 20); }

std::vector<ManifestRow> rows_of(const ExposureOptions &options) {
  const DesiFolders &folders = options.folders;
  if (folders.preproc.empty() != options.manifest.empty())
    return folders.preproc.empty() ? read_manifest(options.manifest)
                                   : find_frames(folders);
  throw Failure(exit_configuration,
                "give either a manifest or --preproc-dir, --psf-dir and --frame-dir");
}

std::vector<std::string> outputs_of(const std::vector<FrameJob> &jobs) {
  std::vector<std::string> outputs;
  for (const FrameJob &job : jobs)
    for (const std::string &path : {job.output.path, job.output.model_path})
      if (!path.empty()) outputs.push_back(path);
  return outputs;
}

int threads_of(const FrameOptions &options, const RunOptions &run) {
  FrameOptions interpreted = options;
  interpret(interpreted, run);
  return std::stoi(Context(interpreted.settings.options).described("threads"));
}

// Where it is not told: one extractor for 16 threads, and as many readers and writers as
// keep up with them. Expanding takes a tenth of the time that extracting takes,
// compressing a half; without, one thread is enough.
PipelineShape shape_of(const ExposureOptions &options, const std::vector<FrameJob> &jobs,
                       int threads) {
  const bool gzip_in = std::any_of(jobs.begin(), jobs.end(), [](const FrameJob &job) {
    return is_compressed(job.settings.image_path);
  });
  const bool gzip_out = std::any_of(jobs.begin(), jobs.end(), [](const FrameJob &job) {
    return job.output.path.ends_with(".gz");
  });
  const auto chosen = [](int asked, int otherwise) {
    return asked > 0 ? asked : std::max(1, otherwise);
  };
  PipelineShape shape;
  shape.extractors = chosen(options.extractors, threads / 16);
  shape.threads = std::max(1, threads / shape.extractors);
  shape.readers = chosen(options.readers, gzip_in ? 1 + threads / 8 : 1);
  shape.writers = chosen(options.writers, gzip_out ? 1 + threads / 2 : 1);
  shape.resume = options.resume;
  const int64_t limit =
      options.memory_mb > 0 ? options.memory_mb * megabyte : available_memory() / 2;
  shape.memory = std::max<int64_t>(0, limit - memory_of_program(threads));
  log_info(
      text("%zu frames, %d at the same time with %d threads each, %d readers, "
           "%d writers, %.0f MB for frames on their way",
           jobs.size(), shape.extractors, shape.threads, shape.readers, shape.writers,
           static_cast<double>(shape.memory) / megabyte));
  return shape;
}

void write_report(const std::string &path, const Report &report,
                  const PipelineShape &shape) {
  nlohmann::ordered_json json = report.json();
  json["extractors"] = shape.extractors;
  json["threads"] = shape.extractors * shape.threads;
  json["readers"] = shape.readers;
  json["writers"] = shape.writers;
  PendingFile file(path);
  std::ofstream stream(file.temporary_path());
  stream << json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) << '\n';
  stream.close();
  if (!stream) throw Failure(exit_retryable, text("cannot write '%s'", path.c_str()));
  file.keep();
}

void run_exposure(const ExposureOptions &options) {
  set_log_level(options.run.log_level, SPECEX_LOG_INFO);
  stop_on_signals();
  give_freed_memory_back();
  const std::string &timing = options.run.timing;
  if (!timing.empty()) check_output(timing);
  const std::vector<FrameJob> jobs =
      make_jobs(rows_of(options), options.frame, options.run);
  const std::vector<std::string> outputs = outputs_of(jobs);
  for (const std::string &output : outputs) check_apart(output, timing);
  remove_temporaries(outputs, WrittenBy::ended_processes);

  const PipelineShape shape =
      shape_of(options, jobs, threads_of(options.frame, options.run));
  Report report(jobs);
  const std::vector<size_t> order = longest_first(jobs);
  std::atomic<size_t> dealt = 0;
  const auto dealer = [&]() -> std::optional<size_t> {
    const size_t next = dealt++;
    return next < order.size() ? std::optional(order[next]) : std::nullopt;
  };
  Pipeline(jobs, dealer, shape, report).run();

  if (!timing.empty()) write_report(timing, report, shape);
  if (stop_signal() != 0) throw Failure(stop_exit_code(), "stopped; " + report.summary());
  if (report.exit_code() != exit_good)
    throw Failure(report.exit_code(), report.summary());
  log_info(report.summary());
}

void add_list_options(CLI::App &command, ExposureOptions &options) {
  command.option_defaults()->group("Frames");
  command
      .add_option("manifest", options.manifest,
                  "CSV with a line of names, or JSON: input, psf, output and any other\n"
                  "option of specex extract, without the dashes")
      ->type_name("FILE");
  DesiFolders &folders = options.folders;
  CLI::Option *preproc =
      command.add_option("--preproc-dir", folders.preproc,
                         "Folder of preproc-*.fits[.gz], or of NIGHT/EXPID folders");
  preproc->type_name("DIR");
  CLI::Option *psf =
      command.add_option("--psf-dir", folders.psf, "The same of psf-*.fits");
  CLI::Option *frames =
      command.add_option("--frame-dir", folders.frames, "Where frame-*.fits are written");
  psf->type_name("DIR");
  frames->type_name("DIR");
  preproc->needs(psf)->needs(frames);
  psf->needs(preproc);
  frames->needs(preproc);
  command.add_option("--night", folders.night, "Only this night")->needs(preproc);
  command.add_option("--expid", folders.expids, "Only these exposures")
      ->delimiter(',')
      ->needs(preproc);
  command.add_option("--cameras", folders.cameras, "Only these: r0,b3, or r for all r")
      ->delimiter(',')
      ->needs(preproc);
  command.add_flag("--gzip", folders.gzip, "Compress the frames")->needs(preproc);
}

void add_pipeline_options(CLI::App &command, ExposureOptions &options) {
  command.option_defaults()->group("Pipeline");
  command.add_flag("--resume,!--no-resume", options.resume,
                   "Leave alone what is there, undamaged, and made from the same inputs\n"
                   "with the same options [yes]");
  command.add_option("--memory", options.memory_mb,
                     "MB to use at most [half of what is available]");
  command.add_option("--extractors", options.extractors,
                     "Frames to extract at the same time [one for 16 threads]");
  command.add_option("--readers", options.readers,
                     "Frames to read at the same time [1; more for compressed ones]");
  command.add_option("--writers", options.writers,
                     "Frames to write at the same time [1; more for compressed ones]");
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
      "Options of extract that are given here hold for all frames; a list may have "
      "others\n"
      "for some. A frame that fails is reported and the others go on. Exit status: 0 "
      "all\n"
      "good, 10 some failed or are degraded, else as specex extract. See specex(1).");
  command->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  auto options = std::make_shared<ExposureOptions>();
  add_list_options(*command, *options);
  command->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  add_extraction_options(*command, options->frame);
  add_pipeline_options(*command, *options);
  add_run_options(*command, options->run);
  command->callback([options] { run_exposure(*options); });
}

}  // namespace specex_cli
