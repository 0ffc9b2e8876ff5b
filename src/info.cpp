// SPDX-License-Identifier: BSD-3-Clause
//
// specex info: what a file, or this build, holds.
#include <algorithm>
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "log.hpp"
#include "session.hpp"
#include "subcommands.hpp"

namespace specex_cli {
namespace {

struct InfoOptions {
  std::vector<std::string> files;
  bool backends = false;
};

// Prints those of the keys that the file has.
void print_keys(const FitsFile &file, const std::vector<const char *> &names) {
  for (const char *name : names) {
    const std::string value = file.key(name);
    if (!value.empty()) std::printf("  %-8s  %s\n", name, value.c_str());
  }
}

void print_psf(const Context &context, const FitsFile &file, const std::string &path) {
  const specex_psf psf = file.psf();
  const specex_status status = specex_set_psf(context.get(), &psf);
  if (status != SPECEX_OK)
    throw Failure(exit_code_of(status),
                  "'" + path + "': " + specex_last_error(context.get()));
  const specex_psf_info info = context.psf_info();
  std::printf("%s: Gauss-Hermite PSF\n", path.c_str());
  std::printf("  %d fibres, %g to %g Angstrom\n", info.nspec, info.wavemin, info.wavemax);
  std::printf("  spots of %d x %d pixels, degree %d x %d, %d parameters\n", info.spot_nx,
              info.spot_ny, psf.ghdegx, psf.ghdegy, psf.nparam);
  if (info.nx > 0)
    std::printf("  CCD of %lld x %lld pixels\n", static_cast<long long>(info.nx),
                static_cast<long long>(info.ny));
  std::printf("  relative error %g%s\n", info.psferr,
              psf.psferr > 0 ? "" : " (the file does not say)");
  print_keys(file, {"CAMERA", "PSFVER", "IN_PSF"});
}

double ivar_at(const specex_image &image, int64_t at) {
  return image.type == SPECEX_FLOAT64
             ? static_cast<const double *>(image.ivar)[at]
             : double{static_cast<const float *>(image.ivar)[at]};
}

void print_image(const FitsFile &file, const std::string &path) {
  const specex_image image = file.image();
  int64_t good = 0;
  for (int64_t y = 0; image.ivar && y < image.ny; ++y) {
    for (int64_t x = 0; x < image.nx; ++x)
      good += ivar_at(image, y * image.ivar_stride + x) > 0;
  }
  std::printf("%s: image\n", path.c_str());
  std::printf("  %lld x %lld pixels of %s, %.2f%% usable (badmask %d)\n",
              static_cast<long long>(image.nx), static_cast<long long>(image.ny),
              image.type == SPECEX_FLOAT64 ? "float64" : "float32",
              100 * static_cast<double>(good) / static_cast<double>(image.nx * image.ny),
              int{SPECEX_BADMASK_DEFAULT});
  print_keys(file, {"CAMERA", "NIGHT", "EXPID", "FLAVOR", "OBSTYPE", "EXPTIME", "MJD-OBS",
                    "TARGTRA", "TARGTDEC"});
}

void print_frame(const FitsFile &file, const std::string &path) {
  const specex_frame frame = file.frame();
  const size_t n = static_cast<size_t>(frame.nspec) * static_cast<size_t>(frame.nwave);
  std::printf("%s: frame\n", path.c_str());
  std::printf("  %d spectra of %lld bins, %g to %g Angstrom\n", frame.nspec,
              static_cast<long long>(frame.nwave), frame.wavelength[0],
              frame.wavelength[frame.nwave - 1]);
  if (frame.ivar) {
    const auto good =
        std::count_if(frame.ivar, frame.ivar + n, [](double v) { return v > 0; });
    std::printf("  %.2f%% of the bins measured\n",
                100 * static_cast<double>(good) / static_cast<double>(n));
  }
  const std::pair<const char *, const void *> planes[] = {
      {"IVAR", frame.ivar},       {"MASK", frame.mask},
      {"CHI2PIX", frame.chi2pix}, {"PIXMASK_FRACTION", frame.pixmask_fraction},
      {"MODEL", frame.model},     {"RESOLUTION", frame.resolution}};
  std::string present = "FLUX";
  for (const auto &[name, values] : planes) {
    if (values) present += text(", %s", name);
  }
  std::printf("  holds %s\n", present.c_str());
  print_keys(file, {"CAMERA",   "NIGHT",    "EXPID",    "FLAVOR",   "SPECTER",
                    "SPXRUN",   "SPXNPAT",  "SPXNFAIL", "SPXNBAD",  "IN_IMG",
                    "IN_PSF",   "HELIOCOR", "OPTCOMPA", "OPTDECOR", "OPTBUNSZ",
                    "OPTNSUBB", "OPTNWSTP", "OPTREGUL", "OPTPSFER", "OPTBADMK"});
}

// The file, or nothing where it is of another kind.
template <class Read>
std::optional<FitsFile> read_if(Read read) {
  try {
    return read();
  } catch (const Failure &failure) {
    if (failure.exit_code() != exit_bad_data) throw;
    return std::nullopt;
  }
}

// A file is of the first kind that can be read from it.
void print_file(const Context &context, const std::string &path) {
  if (const auto psf = read_if([&] { return FitsFile::psf(context, path); }))
    print_psf(context, *psf, path);
  else if (const auto frame = read_if([&] { return FitsFile::frame(context, path); }))
    print_frame(*frame, path);
  else
    print_image(FitsFile::image(context, path), path);
}

void print_backends() {
  std::printf("libspecex %s\n", specex_version());
  const std::pair<const char *, int32_t> backends[] = {
      {"cpu", SPECEX_BACKEND_CPU},
      {"cuda", SPECEX_BACKEND_CUDA},
      {"reference", SPECEX_BACKEND_REFERENCE},
      {"auto", SPECEX_BACKEND_AUTO}};
  for (const auto &[name, number] : backends) {
    specex_options options = default_options();
    options.backend = number;
    try {
      std::printf("%-9s  %s\n", name, Context(options).description().c_str());
    } catch (const Failure &failure) {
      std::printf("%-9s  not available: %s\n", name, failure.what());
    }
  }
}

void run_info(const InfoOptions &options) {
  if (options.files.empty() && !options.backends)
    throw Failure(exit_configuration,
                  "give a FILE or --backends; see specex info --help");
  if (options.backends) print_backends();
  if (options.files.empty()) return;
  const Context context;
  for (const std::string &path : options.files) print_file(context, path);
}

}  // namespace

void add_info(CLI::App &app) {
  CLI::App *command = app.add_subcommand("info", "What a file, or this build, holds");
  command->footer(
      "Knows PSF, preproc and frame files: their sizes, ranges and main header keys.\n\n"
      "Examples\n"
      "  specex info psf-r0.fits preproc-r0.fits.gz frame-r0.fits\n"
      "  specex info --backends");
  auto options = std::make_shared<InfoOptions>();
  command->add_option("FILE", options->files, "FITS files");
  command->add_flag("--backends", options->backends,
                    "What can compute here: CPU, GPU, threads");
  command->callback([options] { run_info(*options); });
}

}  // namespace specex_cli
