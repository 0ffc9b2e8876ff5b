// SPDX-License-Identifier: BSD-3-Clause
#include "extraction.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include "barycentric.hpp"
#include "input_file.hpp"
#include "log.hpp"
#include "progress.hpp"
#include "request.hpp"

namespace specex_cli {
namespace {

template <class T>
T *allocate(LargeArray<T> &array, size_t count) {
  array = make_large_array<T>(count);
  return array.get();
}

}  // namespace

void choose_compat(specex_options &options, const std::string &name) {
  constexpr int32_t nsubbundles = 5;
  constexpr int32_t nwavestep = 50;
  options.compat = name == "none" ? SPECEX_COMPAT_NONE : SPECEX_COMPAT_GPU_SPECTER;
  if (options.compat == SPECEX_COMPAT_NONE) return;
  if (options.nsubbundles == 0) options.nsubbundles = nsubbundles;
  if (options.nwavestep == 0) options.nwavestep = nwavestep;
}

OwnedFrame::OwnedFrame(int32_t first_fiber, int32_t nspec, int64_t nwave, int32_t ndiag) {
  const size_t nbin = static_cast<size_t>(nspec) * static_cast<size_t>(nwave);
  view_.struct_size = sizeof view_;
  view_.first_fiber = first_fiber;
  view_.nspec = nspec;
  view_.nwave = nwave;
  view_.ndiag = ndiag;
  view_.wavelength = allocate(wavelength_, static_cast<size_t>(nwave));
  view_.flux = allocate(flux_, nbin);
  view_.ivar = allocate(ivar_, nbin);
  view_.resolution = allocate(resolution_, nbin * static_cast<size_t>(ndiag));
  view_.chi2pix = allocate(chi2pix_, nbin);
  view_.pixmask_fraction = allocate(pixmask_fraction_, nbin);
  view_.mask = allocate(mask_, nbin);
}

void OwnedFrame::add_model(int64_t nx, int64_t ny) {
  view_.model = allocate(model_, static_cast<size_t>(nx) * static_cast<size_t>(ny));
  view_.model_nx = nx;
  view_.model_ny = ny;
}

namespace {

WavelengthRange choose_wavelengths(const ExtractionSettings &settings,
                                   const std::string &camera,
                                   const specex_psf_info &info) {
  if (settings.wavelengths) return *settings.wavelengths;
  const WavelengthRange range = camera_wavelengths(camera, info);
  log_info(
      text("wavelengths of camera %s: %g to %g Angstrom in steps of %g (the PSF "
           "covers %g to %g)",
           camera.c_str(), range.wavemin, range.wavemax, range.wavestep, info.wavemin,
           info.wavemax));
  return range;
}

// All bundles are divided alike, so that the plan of the first one tells.
Division division_of(const Context &context, const specex_grid &grid,
                     const specex_options &options) {
  const int32_t nspec = std::min(options.bundlesize, context.psf_info().nspec);
  const std::vector<specex_patch> patches = context.plan(grid, 0, nspec);
  const specex_patch &first = patches.front();
  const auto subbundles =
      std::count_if(patches.begin(), patches.end(), [&first](const specex_patch &patch) {
        return patch.first_bundle_fiber == first.first_bundle_fiber &&
               patch.first_bin == first.first_bin;
      });
  return {static_cast<int32_t>(subbundles), first.nbin};
}

}  // namespace

std::shared_ptr<const Psf> read_psf(const Context &context, const std::string &path) {
  const auto start = std::chrono::steady_clock::now();
  const std::string identity = identity_of(path);
  FitsFile file = FitsFile::psf(context, path);
  set_psf(context, file, path);
  const double seconds = seconds_since(start);
  return std::make_shared<const Psf>(
      Psf{std::move(file), context.psf_info(), identity, seconds});
}

void set_psf(const Context &context, const FitsFile &file, const std::string &path) {
  const specex_psf psf = file.psf();
  const specex_status status = specex_set_psf(context.get(), &psf);
  if (status != SPECEX_OK)
    throw Failure(exit_code_of(status),
                  "'" + path + "': " + specex_last_error(context.get()));
}

std::string shortcoming_of(const specex_frame &frame) {
  if (frame.npatch_failed > 0)
    return text("%lld of %lld patches failed and are masked",
                static_cast<long long>(frame.npatch_failed),
                static_cast<long long>(frame.npatch));
  const double *end = frame.ivar + frame.nspec * frame.nwave;
  const bool measured =
      std::any_of<const double *>(frame.ivar, end, [](double x) { return x > 0; });
  return measured ? "" : "no bin could be measured";
}

Extraction::Extraction(const Context &context, const ExtractionSettings &settings,
                       std::shared_ptr<const Psf> psf)
    : settings_(settings),
      psf_(std::move(psf)),
      identity_(identity_of_inputs(settings, psf_->identity)),
      image_([&, start = std::chrono::steady_clock::now()] {
        FitsFile file = FitsFile::image(context, settings_.image_path, settings_.badmask);
        read_seconds_ = seconds_since(start);
        return file;
      }()),
      camera_(image_.key("CAMERA").empty() ? psf_->file.key("CAMERA")
                                           : image_.key("CAMERA")),
      wavelengths_(choose_wavelengths(settings_, camera_, psf_->info)),
      frame_(make_frame()) {
  if (!settings_.fibermap_path.empty())
    fibermap_.emplace(FitsFile::fibermap(context, settings_.fibermap_path));
  if (settings_.barycentric)
    factor_ = specex_cli::barycentric_factor(
        [this](const char *name) { return image_.key(name); });
}

OwnedFrame Extraction::make_frame() const {
  const specex_psf_info &info = psf_->info;
  const int32_t nspec = settings_.nspec.value_or(info.nspec - settings_.specmin);
  if (settings_.specmin < 0 || nspec < 1 || nspec > info.nspec - settings_.specmin)
    throw Failure(exit_configuration,
                  text("%d fibres from %d on were asked for, the PSF has fibres 0 to %d",
                       nspec, settings_.specmin, info.nspec - 1));
  OwnedFrame frame(settings_.specmin, nspec, wavelengths_.grid().nwave, info.ndiag);
  const specex_image image = image_.image();
  if (settings_.model) frame.add_model(image.nx, image.ny);
  return frame;
}

void Extraction::run(const Context &context) {
  run(context, [&context](const auto &image, const auto &grid, specex_frame &frame) {
    const specex_status status = specex_extract_frame(
        context.get(), &image, &grid, frame.first_fiber, frame.nspec, &frame);
    erase_progress();
    check(status, context.get());
  });
}

void Extraction::run(const Context &context, const MakeFrame &make) {
  throw_if_stopped();
  const auto start = std::chrono::steady_clock::now();
  const specex_grid written = wavelengths_.grid();
  specex_grid grid = written;
  grid.wavemin /= factor_;
  grid.wavestep /= factor_;
  specex_frame &frame = frame_.view();
  make(image_.image(), grid, frame);
  if (factor_ != 1) {
    for (int64_t bin = 0; bin < written.nwave; ++bin)
      frame.wavelength[bin] =
          written.wavemin + static_cast<double>(bin) * written.wavestep;
  }
  extract_seconds_ = seconds_since(start);
  ran_on_ = context.description();
  psferr_ = context.psf_info().psferr;
  division_ = division_of(context, grid, settings_.options);
}

}  // namespace specex_cli
