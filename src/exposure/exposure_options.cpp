// SPDX-License-Identifier: BSD-3-Clause
#include "exposure/exposure_options.hpp"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "exposure/memory_budget.hpp"
#include "input_file.hpp"
#include "log.hpp"
#include "outputs.hpp"

namespace specex_cli {
namespace {

// What this process computes with.
struct Engine {
  int threads;
  bool cpu;
};

// Threads: where nobody says, those who share cores divide them.
Engine engine_of(const ExposureOptions &options, int sharing_cores) {
  FrameOptions frame = options.frame;
  interpret(frame, options.run);
  const Context context(frame.settings.options);
  const int threads = std::stoi(context.described("threads"));
  const bool told =
      frame.settings.options.num_threads > 0 || std::getenv("OMP_NUM_THREADS") != nullptr;
  return {told ? threads : std::max(1, threads / sharing_cores),
          context.described("backend") != "cuda"};
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
  command
      .add_option("--memory", options.memory,
                  "Memory to use at most: 800M, 1.5G [half of what is available]")
      ->transform(as_bytes())
      ->type_name("SIZE");
  command
      .add_option("--spot-memory", options.spot_memory,
                  "So much of it for spots that further frames of the same PSF, fibres\n"
                  "and wavelengths use again [0]")
      ->transform(as_bytes())
      ->type_name("SIZE");
  command.add_option("--extractors", options.extractors,
                     "Frames to extract at the same time [chosen by threads, frames\n"
                     "and memory]");
  command.add_option("--readers", options.readers,
                     "Frames to read at the same time [1; more for many threads]");
  command.add_option("--writers", options.writers,
                     "Frames to write at the same time [1; more for many threads,\n"
                     "or compressed ones]");
}

// Frames to extract at the same time, where it is not told. A thread does most where it
// has a frame of its own: threads of one frame wait for each other whenever reading or
// writing takes a core from one of them. But the last frames have to keep all cores busy,
// none should take minutes, and while some are extracted as many are read and written. A
// GPU has room for few.
int extractors_for(const std::vector<FrameJob> &jobs, const Engine &engine,
                   int64_t memory, int processes) {
  constexpr size_t least_frames = 6;  // of an extractor
  constexpr int most_threads = 16;
  int64_t image = 1;
  for (const FrameJob &job : jobs)
    image = std::max(image, expanded_size_of(job.settings.image_path));
  const int64_t fitting = memory / (2 * image) / 2;  // for a frame is twice its image
  const auto enough =
      static_cast<int64_t>(jobs.size() / static_cast<size_t>(processes) / least_frames);
  const int least = std::max(1, engine.threads / most_threads);
  if (!engine.cpu) return least;
  int count = static_cast<int>(
      std::clamp<int64_t>(std::min(enough, fitting), least, engine.threads));
  while (engine.threads % count != 0) --count;
  return count;
}

}  // namespace

void add_exposure_options(CLI::App &command, ExposureOptions &options) {
  command.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  add_list_options(command, options);
  add_extraction_options(command, options.frame);
  add_pipeline_options(command, options);
  add_run_options(command, options.run);
}

std::vector<ManifestRow> rows_of(const ExposureOptions &options) {
  const DesiFolders &folders = options.folders;
  if (folders.preproc.empty() != options.manifest.empty())
    return folders.preproc.empty() ? read_manifest(options.manifest)
                                   : find_frames(folders);
  throw Failure(exit_configuration,
                "give either a manifest or --preproc-dir, --psf-dir and --frame-dir");
}

// Expanding takes a fourth of the time that extracting takes, compressing a half, plain
// files a tenth: readers and writers keep up with that.
PipelineShape shape_of(const ExposureOptions &options, const std::vector<FrameJob> &jobs,
                       const Neighbours &neighbours) {
  const Engine engine = engine_of(options, neighbours.on_cores);
  const int threads = engine.threads;
  const bool gzip_in = std::any_of(jobs.begin(), jobs.end(), [](const FrameJob &job) {
    return is_compressed(job.settings.image_path);
  });
  const bool gzip_out = std::any_of(jobs.begin(), jobs.end(), [](const FrameJob &job) {
    return job.output.path.ends_with(".gz");
  });
  const auto chosen = [](int asked, int otherwise) {
    return asked > 0 ? asked : otherwise;
  };
  const int64_t limit = options.memory > 0
                            ? options.memory
                            : available_memory() / 2 / neighbours.on_machine;
  PipelineShape shape;
  const int64_t room = std::max<int64_t>(0, limit - memory_of_program(threads));
  const int64_t spots = std::min(options.spot_memory, room);
  shape.memory = room - spots;
  shape.extractors = chosen(options.extractors, extractors_for(jobs, engine, shape.memory,
                                                               neighbours.with_frames));
  shape.threads = std::max(1, threads / shape.extractors);
  shape.spot_memory = spots / shape.extractors;
  shape.readers = chosen(options.readers, 1 + threads / (gzip_in ? 4 : 8));
  shape.writers = chosen(options.writers, 1 + threads / (gzip_out ? 2 : 8));
  shape.resume = options.resume;
  log_info(
      text("%zu frames, %d at the same time with %d threads each, %d readers, "
           "%d writers, %.0f MB for frames on their way",
           jobs.size(), shape.extractors, shape.threads, shape.readers, shape.writers,
           static_cast<double>(shape.memory) / 1e6));
  return shape;
}

void write_report(const ExposureOptions &options, const Report &report,
                  const PipelineShape &shape, int processes) {
  const std::string &path = options.run.timing;
  if (path.empty()) return;
  nlohmann::ordered_json json = report.json();
  json["processes"] = processes;
  json["extractors"] = shape.extractors;
  json["threads"] = shape.extractors * shape.threads;
  json["readers"] = shape.readers;
  json["writers"] = shape.writers;
  write_json(path, json);
}

}  // namespace specex_cli
