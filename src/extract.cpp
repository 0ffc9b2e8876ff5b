// SPDX-License-Identifier: BSD-3-Clause
//
// specex extract: spectra from a CCD image, as gpu_specter's spex and desispec's
// desi_extract_spectra do it, with their options.
#include <chrono>
#include <memory>
#include <string>

#include "extract_options.hpp"
#include "log.hpp"
#include "outputs.hpp"
#include "progress.hpp"
#include "subcommands.hpp"
#include "timing.hpp"

namespace specex_cli {
namespace {

struct ExtractOptions {
  FrameOptions frame;
  RunOptions run;
};

void run_extract(ExtractOptions options) {
  const auto start = std::chrono::steady_clock::now();
  set_log_level(options.run.log_level, SPECEX_LOG_INFO);
  stop_on_signals();
  interpret(options.frame, options.run);
  const ExtractionSettings &settings = options.frame.settings;
  const FrameOutput &output = options.frame.output;
  const std::string &timing = options.run.timing;
  check_output_names(output);
  if (!timing.empty()) check_output(timing);

  const Context context(settings.options);
  Extraction extraction(context, settings, read_psf(context, settings.psf_path));
  check_frame_output(extraction, output);
  for (const std::string &path : {output.path, output.model_path})
    check_apart(path, timing);
  for (const std::string &path :
       {settings.image_path, settings.psf_path, settings.fibermap_path})
    check_differ(path, timing);

  log_info(context.description());
  extraction.run(context);
  const specex_frame &frame = extraction.frame().view();
  log_info(text("extract-time: %.3f sec for %lld patches", extraction.extract_seconds(),
                static_cast<long long>(frame.npatch)));

  const auto write_start = std::chrono::steady_clock::now();
  write_frame_output(context, extraction, output);
  const double write_seconds = seconds_since(write_start);
  if (!timing.empty())
    write_timing(timing, context, extraction, write_seconds, seconds_since(start));
  const std::string shortcoming = shortcoming_of(frame);
  if (shortcoming.empty()) return;
  const std::string sentence = shortcoming + " in " + output.path;
  if (frame.npatch_failed > 0) throw Failure(exit_degraded, sentence);
  log_warning(sentence);
}

}  // namespace

void add_extract(CLI::App &app) {
  CLI::App *command = app.add_subcommand("extract", "Extract spectra from a CCD image");
  command->footer(
      "Examples\n"
      "  All fibres of an exposure, over the wavelengths of its camera:\n"
      "    specex extract -i preproc-r0.fits.gz -p psf-r0.fits -o frame-r0.fits.gz\n"
      "  50 fibres from fibre 100 on, 6000 to 6200 Angstrom, and the model image:\n"
      "    specex extract -i preproc-r0.fits -p psf-r0.fits -o frame-r0.fits \\\n"
      "        -s 100 -n 50 -w 6000,6200,0.8 -m model-r0.fits\n"
      "  As gpu_specter does it, in double precision:\n"
      "    specex extract ... --compat gpu_specter --float64\n\n"
      "Exit status: 0 good, 10 written but some patches failed and are masked, 20 bad\n"
      "data, 21 wrong command or configuration, 75 try again later, 130 or 143 stopped\n"
      "by a signal. Outputs appear complete or not at all. See specex(1).");
  // A pipeline may override an option by giving it again, as it may with desispec.
  command->option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  auto options = std::make_shared<ExtractOptions>();
  add_file_options(*command, options->frame);
  add_extraction_options(*command, options->frame);
  add_run_options(*command, options->run);
  command->callback([options] { run_extract(*options); });
}

}  // namespace specex_cli
