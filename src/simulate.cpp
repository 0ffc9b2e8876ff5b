// SPDX-License-Identifier: BSD-3-Clause
//
// specex simulate: an exposure of known spectra through a PSF, by the library's own
// forward model.
#include "simulate.hpp"

#include <cmath>
#include <memory>
#include <vector>

#include "cards.hpp"
#include "log.hpp"
#include "outputs.hpp"
#include "progress.hpp"
#include "spectra_model.hpp"
#include "subcommands.hpp"
#include "wavelengths.hpp"

namespace specex_cli {

namespace {

// Spectra to project, and the same as the truth on the bins of an extraction.
struct Light {
  int32_t first_fiber = 0;
  int32_t nspec = 0;
  specex_grid grid{};         // of the spectra
  std::vector<double> flux;   // [nspec][grid.nwave], electrons per Angstrom
  specex_grid truth_grid{};   // `oversample` times coarser
  std::vector<double> truth;  // [nspec][truth_grid.nwave]
};

// Each bin of `grid` divided into `count`.
specex_grid divided(const specex_grid &grid, int32_t count) {
  specex_grid fine = grid;
  fine.wavestep = grid.wavestep / count;
  fine.wavemin = grid.wavemin - grid.wavestep / 2 + fine.wavestep / 2;
  fine.nwave = grid.nwave * count;
  return fine;
}

// Means of `count` neighbouring bins.
std::vector<double> averaged(const std::vector<double> &fine, int32_t count) {
  std::vector<double> coarse(fine.size() / static_cast<size_t>(count));
  for (size_t i = 0; i < fine.size(); ++i)
    coarse[i / static_cast<size_t>(count)] += fine[i] / count;
  return coarse;
}

Light made_light(const SimulateOptions &options, const specex_psf_info &psf,
                 const std::string &camera) {
  Light light;
  light.first_fiber = options.first_fiber;
  light.nspec = options.nspec > 0 ? options.nspec : psf.nspec - options.first_fiber;
  if (light.nspec < 1 || light.nspec > psf.nspec - light.first_fiber)
    throw Failure(exit_configuration,
                  text("%d fibres from %d on were asked for, but the PSF has %d",
                       light.nspec, light.first_fiber, psf.nspec));
  light.truth_grid = (options.wavelength.empty() ? camera_wavelengths(camera, psf)
                                                 : parse_wavelengths(options.wavelength))
                         .grid();
  light.grid = divided(light.truth_grid, options.oversample);
  light.flux = make_spectra(light.grid, light.first_fiber, light.nspec, options.seed);
  light.truth = averaged(light.flux, options.oversample);
  return light;
}

// The grid of a frame's WAVELENGTH, which has to be uniform.
specex_grid uniform_grid(const specex_frame &frame, const std::string &path) {
  const double first = frame.wavelength[0];
  const double last = frame.wavelength[frame.nwave - 1];
  specex_grid grid{};
  grid.struct_size = sizeof grid;
  grid.wavemin = first;
  grid.wavestep = (last - first) / static_cast<double>(frame.nwave - 1);
  grid.nwave = frame.nwave;
  constexpr double tolerance = 1e-3;  // Angstrom: float32 wavelengths are enough
  for (int64_t bin = 0; bin < frame.nwave; ++bin)
    if (!(std::abs(first + static_cast<double>(bin) * grid.wavestep -
                   frame.wavelength[bin]) < tolerance))
      throw Failure(exit_bad_data,
                    path + ": WAVELENGTH is not uniform, which a simulation needs");
  return grid;
}

// Spectra of a file, on the file's own bins.
Light given_light(const Context &context, const SimulateOptions &options) {
  const FitsFile file = FitsFile::frame(context, options.spectra);
  const specex_frame frame = file.frame();
  if (frame.flux == nullptr || frame.wavelength == nullptr || frame.nwave < 2)
    throw Failure(exit_bad_data,
                  options.spectra + " has no FLUX on a WAVELENGTH of two bins or more");
  Light light;
  light.first_fiber = options.first_fiber;
  light.nspec = options.nspec > 0 ? options.nspec : frame.nspec;
  if (light.nspec > frame.nspec)
    throw Failure(exit_configuration,
                  text("%d fibres were asked for, but %s has %d spectra", light.nspec,
                       options.spectra.c_str(), frame.nspec));
  light.grid = uniform_grid(frame, options.spectra);
  light.flux.assign(frame.flux, frame.flux + light.nspec * frame.nwave);
  light.truth_grid = light.grid;
  light.truth = light.flux;
  return light;
}

// Keys that a pipeline looks for, and what was simulated. The night is
// made up, but complete: barycentric corrections need a place in the sky and a time.
Cards header_cards(const std::string &camera, const SimulateOptions &options,
                   const char *unit) {
  Cards cards;
  if (!camera.empty()) cards.add("CAMERA", camera, "spectrograph camera");
  cards.add("EXPID", 1, "exposure number");
  cards.add("NIGHT", 20260101, "YEARMMDD");
  cards.add("FLAVOR", "science", nullptr);
  cards.add("OBSTYPE", "SCIENCE", nullptr);
  cards.add("EXPTIME", 900.0, "[s]");
  cards.add("MJD-OBS", 61042.25, "[d] start of the exposure");
  cards.add("TARGTRA", 112.0, "[deg]");
  cards.add("TARGTDEC", 30.0, "[deg]");
  cards.add("BUNIT", unit, nullptr);
  cards.add("SIMSEED", static_cast<int64_t>(options.seed), "of specex simulate");
  cards.add("SIMRDN", options.detector.readnoise, "[electron] read noise");
  return cards;
}

specex_fits_output output_with(const Cards &cards) {
  specex_fits_output output{};
  output.struct_size = sizeof output;
  output.cards = cards.data();
  output.ncard = cards.size();
  return output;
}

void write_exposure(const Context &context, const std::string &path,
                    const Detector &detector, const Exposure &exposure,
                    const Cards &cards) {
  specex_image image{};
  image.struct_size = sizeof image;
  image.type = SPECEX_FLOAT32;
  image.nx = image.pixels_stride = image.ivar_stride = detector.nx;
  image.ny = detector.ny;
  image.pixels = exposure.pixels.data();
  image.ivar = exposure.ivar.data();
  const specex_fits_output output = output_with(cards);
  check(specex_fits_write_image(context.get(), path.c_str(), &image, exposure.mask.data(),
                                &output),
        context.get());
}

void write_truth(const Context &context, const std::string &path, Light &light,
                 const Cards &cards) {
  std::vector<double> wavelength(static_cast<size_t>(light.truth_grid.nwave));
  for (size_t bin = 0; bin < wavelength.size(); ++bin)
    wavelength[bin] =
        light.truth_grid.wavemin + static_cast<double>(bin) * light.truth_grid.wavestep;
  specex_frame frame{};
  frame.struct_size = sizeof frame;
  frame.first_fiber = light.first_fiber;
  frame.nspec = light.nspec;
  frame.nwave = light.truth_grid.nwave;
  frame.wavelength = wavelength.data();
  frame.flux = light.truth.data();
  specex_fits_output output = output_with(cards);
  output.float64 = 1;
  check(specex_fits_write_frame(context.get(), path.c_str(), &frame, &output),
        context.get());
}

}  // namespace

void simulate(const Context &context, const SimulateOptions &options) {
  check_fits_output(options.output);
  if (!options.truth.empty()) check_fits_output(options.truth);
  check_apart(options.output, options.truth);
  for (const std::string &path : {options.output, options.truth}) {
    check_differ(options.psf, path);
    check_differ(options.spectra, path);
  }
  const FitsFile psf_file = FitsFile::psf(context, options.psf);
  const specex_psf psf = psf_file.psf();
  check(specex_set_psf(context.get(), &psf), context.get());
  const specex_psf_info info = context.psf_info();
  if (info.nx <= 0 || info.ny <= 0)
    throw Failure(exit_bad_data, options.psf +
                                     " does not say the size of its CCD "
                                     "(NPIX_X, NPIX_Y)");
  const std::string camera = psf_file.key("CAMERA");

  Light light = options.spectra.empty() ? made_light(options, info, camera)
                                        : given_light(context, options);
  Detector detector = options.detector;
  detector.nx = info.nx;
  detector.ny = info.ny;
  std::vector<double> expected(static_cast<size_t>(info.nx * info.ny));
  check(specex_project(context.get(), &light.grid, light.first_fiber, light.nspec,
                       light.flux.data(), info.nx, info.ny, expected.data()),
        context.get());
  const Exposure exposure = expose(detector, expected, options.seed);

  write_exposure(context, options.output, detector, exposure,
                 header_cards(camera, options, "electron"));
  if (!options.truth.empty())
    write_truth(context, options.truth, light,
                header_cards(camera, options, "electron/Angstrom"));
}

void add_simulate(CLI::App &app) {
  CLI::App *command =
      app.add_subcommand("simulate", "Simulate an exposure from a PSF and spectra");
  command->footer(
      "Spectra are made up (sky, stars, galaxies, quasars) or taken from a file, and\n"
      "projected onto the CCD by the library's forward model. The truth is a frame file\n"
      "with the mean flux of each bin. The same seed gives the same files.\n\n"
      "Example: specex simulate -p psf-r0.fits -o preproc-r0.fits --truth truth-r0.fits\n"
      "                         --cosmics 200 --seed 1");
  auto options = std::make_shared<SimulateOptions>();
  command->add_option("-p,--psf", options->psf, "PSF file")->required();
  command->add_option("-o,--output", options->output, "Preproc file to write")
      ->required();
  command->add_option("--truth", options->truth, "Frame file to write the spectra to");
  CLI::Option *spectra = command->add_option(
      "--spectra", options->spectra, "Frame or truth file to take the spectra from");
  CLI::Option *wavelength =
      command->add_option("-w,--wavelength", options->wavelength,
                          "wmin,wmax,dw in Angstrom; without it, the camera's range");
  command->add_option("-s,--specmin", options->first_fiber, "First fibre with light")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command->add_option("-n,--nspec", options->nspec, "Fibres with light; without it, all")
      ->check(CLI::PositiveNumber);
  CLI::Option *oversample =
      command
          ->add_option("--oversample", options->oversample,
                       "Simulate on bins this many times finer than the truth's")
          ->capture_default_str()
          ->check(CLI::Range(1, 100));
  spectra->excludes(wavelength)->excludes(oversample);
  command->add_option("--seed", options->seed, "Of spectra and noise")
      ->capture_default_str();
  command
      ->add_option("--readnoise", options->detector.readnoise,
                   "Read noise, electrons rms")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command
      ->add_option("--cosmics", options->detector.ncosmic,
                   "Tracks of cosmic rays, masked as COSMIC")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command
      ->add_option("--badcolumns", options->detector.nbadcolumn,
                   "Columns without meaning, masked as BAD")
      ->capture_default_str()
      ->check(CLI::NonNegativeNumber);
  command->add_flag("!--no-noise", options->detector.noise,
                    "Pixels hold their expected values; ivar is as with noise");
  auto ivar = std::make_shared<std::string>("true");
  command
      ->add_option("--ivar", *ivar,
                   "Variance from the true light, or from the data as a pipeline would")
      ->capture_default_str()
      ->check(CLI::IsMember({"true", "data"}));
  command->callback([options, ivar] {
    options->detector.ivar_from_data = *ivar == "data";
    stop_on_signals();
    simulate(Context(), *options);
  });
}

}  // namespace specex_cli
