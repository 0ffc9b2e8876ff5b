// SPDX-License-Identifier: BSD-3-Clause
//
// specex demo: the whole way from nothing to a judged extraction, through the same files
// and functions as the other subcommands.
#include <chrono>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <numeric>

#include "demo_picture.hpp"
#include "extraction.hpp"
#include "frame_output.hpp"
#include "log.hpp"
#include "make_psf.hpp"
#include "outputs.hpp"
#include "progress.hpp"
#include "simulate.hpp"
#include "subcommands.hpp"

namespace specex_cli {

namespace {

using Clock = std::chrono::steady_clock;

// R applied to the truth. Element (k, w) of the stored bands is R[w - ndiag/2 + k, w].
std::vector<double> at_resolution(const specex_frame &frame, const specex_frame &truth) {
  const int64_t nwave = frame.nwave, ndiag = frame.ndiag;
  std::vector<double> expected(static_cast<size_t>(frame.nspec * nwave));
  for (int64_t i = 0; i < frame.nspec; ++i)
    for (int64_t k = 0; k < ndiag; ++k)
      for (int64_t bin = 0; bin < nwave; ++bin) {
        const int64_t row = bin - ndiag / 2 + k;
        if (row < 0 || row >= nwave) continue;
        expected[static_cast<size_t>(i * nwave + row)] +=
            frame.resolution[(i * ndiag + k) * nwave + bin] * truth.flux[i * nwave + bin];
      }
  return expected;
}

// Of the pixels that the model describes, per degree of freedom.
double chi2_per_pixel(const specex_frame &frame, const specex_image &image) {
  const auto *pixels = static_cast<const float *>(image.pixels);
  const auto *ivar = static_cast<const float *>(image.ivar);
  double chi2 = 0, freedom = 0;
  for (int64_t y = 0; y < image.ny; ++y)
    for (int64_t x = 0; x < image.nx; ++x) {
      const double model = frame.model[y * frame.model_nx + x];
      const double weight = ivar[y * image.ivar_stride + x];
      if (!(model > 0) || !(weight > 0)) continue;
      const double residual = pixels[y * image.pixels_stride + x] - model;
      chi2 += residual * residual * weight;
      ++freedom;
    }
  for (int64_t i = 0; i < frame.nspec * frame.nwave; ++i) freedom -= frame.ivar[i] > 0;
  return chi2 / freedom;
}

TruthComparison compare_with_truth(const specex_frame &frame, const specex_frame &truth,
                                   const specex_image &image) {
  TruthComparison comparison;
  comparison.expected = at_resolution(frame, truth);
  for (size_t i = 0; i < comparison.expected.size(); ++i)
    if (frame.mask[i] == 0 && frame.ivar[i] > 0)
      comparison.pulls.push_back((frame.flux[i] - comparison.expected[i]) *
                                 std::sqrt(frame.ivar[i]));
  const std::vector<double> &pulls = comparison.pulls;
  const auto count = static_cast<double>(pulls.size());
  comparison.mean = std::accumulate(pulls.begin(), pulls.end(), 0.0) / count;
  for (const double pull : pulls)
    comparison.variance += (pull - comparison.mean) * (pull - comparison.mean) / count;
  comparison.chi2_per_pixel = chi2_per_pixel(frame, image);
  return comparison;
}

// One line of the account: a file, what it is, and how long it took to make.
void tell(const char *file, const std::string &what, double seconds) {
  std::printf("  %-16s %-64s %5.1f s\n", file, what.c_str(), seconds);
  std::fflush(stdout);
}

void run_demo(const std::string &folder) {
  const auto begin = Clock::now();
  const auto path = [&](const char *file) { return folder + "/" + file; };
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error)
    throw Failure(exit_configuration,
                  "cannot make the folder " + folder + ": " + error.message());
  std::printf("From nothing to spectra, in %s:\n\n", folder.c_str());

  constexpr int32_t nspec = 50;  // two bundles
  constexpr uint64_t seed = 2;
  auto start = Clock::now();
  {
    const Context context;
    make_psf(context, {'r', path("psf-r0.fits"), nspec, seed});
    tell("psf-r0.fits", "a PSF like that of a DESI r camera: 50 fibres, two bundles",
         seconds_since(start));

    start = Clock::now();
    SimulateOptions simulation;
    simulation.psf = path("psf-r0.fits");
    simulation.output = path("preproc-r0.fits");
    simulation.truth = path("truth-r0.fits");
    simulation.seed = seed;
    simulation.detector.ncosmic = 300;
    simulation.detector.nbadcolumn = 1;
    simulate(context, simulation);
  }
  tell("preproc-r0.fits", "an exposure through it: noise, cosmic rays, a bad column",
       seconds_since(start));
  std::printf("  %-16s %s\n", "truth-r0.fits", "the spectra it was made from");

  ExtractionSettings settings;
  settings.image_path = path("preproc-r0.fits");
  settings.psf_path = path("psf-r0.fits");
  settings.model = true;
  const Context context(settings.options);
  Extraction extraction(context, settings, read_psf(context, settings.psf_path));
  FrameOutput output;
  output.path = path("frame-r0.fits");
  output.model_path = path("model-r0.fits");
  check_frame_output(extraction, output);
  extraction.run(context);
  write_frame_output(context, extraction, output);
  const specex_frame &frame = extraction.frame().view();
  tell("frame-r0.fits",
       text("the spectra extracted from it: 50 x %lld bins of 0.8 Angstrom",
            static_cast<long long>(frame.nwave)),
       extraction.extract_seconds());
  std::printf("  %-16s %s\n", "model-r0.fits", "the image that those spectra explain");

  start = Clock::now();
  const FitsFile truth = FitsFile::frame(context, path("truth-r0.fits"));
  Demonstration demonstration;
  demonstration.image = extraction.image().image();
  demonstration.frame = frame;
  demonstration.comparison =
      compare_with_truth(frame, truth.frame(), demonstration.image);
  demonstration.summary = text(
      "A simulated DESI r camera: 50 fibres, 5760–7620 Å. %lld fluxes extracted in "
      "%.1f s (%s).",
      static_cast<long long>(frame.nspec * frame.nwave), extraction.extract_seconds(),
      context.description().c_str());
  write_text(path("demo.svg"), draw_demo(context, demonstration));
  tell("demo.svg", "the picture of it all", seconds_since(start));

  const TruthComparison &comparison = demonstration.comparison;
  std::printf(
      "\n%zu good bins against the truth at their resolution, in units of their errors:\n"
      "  mean %+.4f, variance %.4f (0 and 1 are right); chi2 per pixel %.4f\n\n"
      "Extracted by: %s. All in %.1f s.\n"
      "Look at %s/demo.svg; then try   specex info %s/frame-r0.fits\n",
      comparison.pulls.size(), comparison.mean, comparison.variance,
      comparison.chi2_per_pixel, context.description().c_str(), seconds_since(begin),
      folder.c_str(), folder.c_str());
}

}  // namespace

void add_demo(CLI::App &app) {
  CLI::App *command = app.add_subcommand(
      "demo", "Simulate an exposure, extract it, compare with the truth, and draw it");
  auto folder = std::make_shared<std::string>("demo");
  command->add_option("folder", *folder, "Folder for its files, made if needed")
      ->capture_default_str();
  command->callback([folder] {
    set_log_level("", SPECEX_LOG_WARNING);
    stop_on_signals();
    run_demo(*folder);
  });
}

}  // namespace specex_cli
