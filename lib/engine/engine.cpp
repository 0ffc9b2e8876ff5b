// SPDX-License-Identifier: BSD-3-Clause
#include "engine/engine.hpp"

#include <algorithm>
#include <atomic>
#include <utility>

#include "base/array_memory.hpp"
#include "base/deal.hpp"
#include "base/error.hpp"
#include "base/options.hpp"
#include "base/threads.hpp"
#include "kernels/shared/dense_algebra.hpp"
#include "kernels/shared/image.hpp"
#include "kernels/shared/patch_pixels.hpp"
#include "kernels/shared/project.hpp"
#include "model/frame.hpp"
#include "model/grid.hpp"

namespace specex {
namespace {

// What "chosen by the library" means where matrices are dense, or have to be
// gpu_specter's: else a bundle is one patch over the whole grid.
constexpr int dense_nsubbundles = 5;
constexpr int dense_nwavestep = 50;

// The corrected mode uses only what is on the image: dropping the rest here keeps a trace
// that runs far off the CCD from costing memory. The compatible mode has to know of it.
void trim(const specex_image &image, specex_patch &patch) {
  patch.xmin = std::clamp(patch.xmin, 0, static_cast<int>(image.nx));
  patch.xmax = std::clamp(patch.xmax, patch.xmin, static_cast<int>(image.nx));
  patch.ymin = std::clamp(patch.ymin, 0, static_cast<int>(image.ny));
  patch.ymax = std::clamp(patch.ymax, patch.ymin, static_cast<int>(image.ny));
}

Division make_division(const specex_options &options, const specex_grid &grid) {
  const bool compat = options.compat == SPECEX_COMPAT_GPU_SPECTER;
  const bool dense = compat || options.backend == SPECEX_BACKEND_REFERENCE ||
                     options.decorrelate == SPECEX_DECORRELATE_NOISE;
  Division division{};
  division.bundlesize = options.bundlesize;
  division.nsubbundles = options.nsubbundles > 0 ? options.nsubbundles
                         : dense                 ? dense_nsubbundles
                                                 : 1;
  division.nwavestep = options.nwavestep > 0 ? options.nwavestep
                       : dense               ? dense_nwavestep
                                             : static_cast<int>(grid.nwave);
  division.wavepad =
      options.wavepad + static_cast<int>(options.wavepad * options.wavepad_frac);
  // Undivided, padding is only at the grid's ends: there is nothing to gain by less of
  // it.
  const bool undivided = !dense && options.nwavestep == 0;
  division.pixpad_frac = undivided ? 1.0 : options.pixpad_frac;
  division.literal = compat;
  return division;
}

// no_gpu: why there is none, where one would have been chosen.
std::unique_ptr<Backend> make_backend(const specex_options &options, int num_threads,
                                      std::string &no_gpu) {
  switch (options.backend) {
    case SPECEX_BACKEND_REFERENCE:
      return make_reference_backend();
    case SPECEX_BACKEND_CUDA:
      return make_cuda_backend(options, num_threads);
    case SPECEX_BACKEND_AUTO:
      if (!has_cuda_backend()) break;
      try {
        return make_cuda_backend(options, num_threads);
      } catch (const Error &error) {
        no_gpu = error.what();
      }
      break;
    default:
      break;
  }
  return make_cpu_backend(num_threads, options.spot_memory);
}

void check_reach(const char *name, int32_t memory, Backend &backend) {
  check_memory(name, memory);
  if (memory == SPECEX_MEMORY_DEVICE && backend.device_memory() == nullptr)
    fail(SPECEX_ERROR_UNSUPPORTED,
         "%s.memory is SPECEX_MEMORY_DEVICE, which is for contexts with the cuda "
         "backend; this one has %s",
         name, backend.name());
}

template <class T>
int64_t count_bad_pixels(const specex_image &image, const Box &box) {
  int64_t count = 0;
  for (int64_t y = box.ymin; y < box.ymax; ++y) {
    const T *value = static_cast<const T *>(image.pixels) + y * image.pixels_stride;
    const T *ivar = static_cast<const T *>(image.ivar) + y * image.ivar_stride;
    int32_t of_row = 0;  // and no branch: so that it is done several pixels at a time
    for (int64_t x = box.xmin; x < box.xmax; ++x)
      of_row += static_cast<int32_t>(is_bad(value[x], ivar[x])) &
                static_cast<int32_t>(ivar[x] != T{0});
    count += of_row;
  }
  return count;
}

int64_t count_bad_pixels(const specex_image &image, const Box &box) {
  return image.type == SPECEX_FLOAT32 ? count_bad_pixels<float>(image, box)
                                      : count_bad_pixels<double>(image, box);
}

void refuse_bad_pixels(int64_t count) {
  if (count > 0)
    fail(SPECEX_ERROR_DATA,
         "%lld pixels have a value or ivar that is not finite, or a negative ivar "
         "(strict mode)",
         static_cast<long long>(count));
}

}  // namespace

Engine::Engine(const specex_options &options)
    : options_(options),
      num_threads_(options.backend == SPECEX_BACKEND_REFERENCE
                       ? 1
                       : probe_threads(wanted_threads(options.num_threads))),
      backend_(make_backend(options, num_threads_, no_gpu_)) {}

std::string Engine::describe() const {
  const std::string device = backend_->device();
  return "libspecex " + std::string(specex_version()) + ", backend " + backend_->name() +
         (device.empty() ? "" : ", device " + device) + ", vectors " +
         backend_->vectors() + ", threads " + std::to_string(num_threads_) +
         (no_gpu_.empty() ? "" : " (" + no_gpu_ + ")");
}

void Engine::set_psf(Psf psf) {
  loaded_ = std::make_unique<LoadedPsf>(std::move(psf));
  backend_->forget_psf();
}

const Psf &Engine::psf() const {
  if (!loaded_) fail(SPECEX_ERROR_STATE, "no PSF was set; call specex_set_psf first");
  return loaded_->psf;
}

double Engine::psferr() const {
  return options_.psferr < 0.0 ? psf().psferr : options_.psferr;
}

std::vector<specex_patch> Engine::plan(const specex_grid &grid, int first_fiber,
                                       int nspec) const {
  return make_plan(psf(), grid, make_division(options_, grid), first_fiber, nspec,
                   num_threads_);
}

void Engine::check_image(const specex_image &image) const {
  if (image.type != SPECEX_FLOAT32 && image.type != SPECEX_FLOAT64)
    fail(SPECEX_ERROR_ARGUMENT,
         "image.type is %d; it must be SPECEX_FLOAT32 or SPECEX_FLOAT64", image.type);
  check_reach("image", image.memory, *backend_);
  if (image.nx < 1 || image.ny < 1 || image.nx > far_pixel || image.ny > far_pixel)
    fail(SPECEX_ERROR_ARGUMENT, "an image of %lld x %lld pixels is not usable",
         static_cast<long long>(image.nx), static_cast<long long>(image.ny));
  if (image.pixels == nullptr || image.ivar == nullptr)
    fail(SPECEX_ERROR_ARGUMENT, "image.pixels or image.ivar is NULL");
  constexpr int64_t max_stride = int64_t{1} << 36;
  for (const int64_t stride : {image.pixels_stride, image.ivar_stride})
    if (stride < image.nx || stride > max_stride)
      fail(SPECEX_ERROR_ARGUMENT,
           "image.pixels_stride or image.ivar_stride is %lld; it must be nx or more",
           static_cast<long long>(stride));
  const Psf &own = psf();
  if ((own.nx != 0 && own.nx != image.nx) || (own.ny != 0 && own.ny != image.ny))
    fail(SPECEX_ERROR_PSF,
         "the PSF was made for a CCD of %lld x %lld pixels; the image has %lld x %lld",
         static_cast<long long>(own.nx), static_cast<long long>(own.ny),
         static_cast<long long>(image.nx), static_cast<long long>(image.ny));
}

void Engine::run(const specex_image &image, std::span<const specex_patch> patches,
                 std::span<PatchOutput> outputs, const specex_frame *frame,
                 const Log &log, Progress &progress, StageTotals &stages) {
  Rules rules;
  rules.compat = options_.compat == SPECEX_COMPAT_GPU_SPECTER;
  rules.noise = options_.decorrelate == SPECEX_DECORRELATE_NOISE;
  rules.regularize = options_.regularize;
  rules.psferr = psferr();
  const Run run{loaded_->psf, *loaded_->spots, image, rules,
                progress,     stages,          log,   frame};
  if (!no_gpu_.empty() && !std::exchange(told_of_gpu_, true))
    log.write(SPECEX_LOG_INFO, "%s", no_gpu_.c_str());
  progress.start(static_cast<int64_t>(patches.size()));
  try {
    backend_->extract(run, patches, outputs);
    return;
  } catch (const Error &error) {
    const bool of_device =
        error.status() == SPECEX_ERROR_DEVICE || error.status() == SPECEX_ERROR_MEMORY;
    const bool reachable = image.memory == SPECEX_MEMORY_HOST &&
                           (frame == nullptr || frame->memory == SPECEX_MEMORY_HOST);
    if (options_.backend != SPECEX_BACKEND_AUTO || backend_->device_memory() == nullptr ||
        !of_device || !reachable)
      throw;
    no_gpu_ = error.what();
  }
  log.write(SPECEX_LOG_WARNING, "%s: from here on the CPU is used", no_gpu_.c_str());
  backend_ = make_cpu_backend(num_threads_, options_.spot_memory);
  // What was written by then is written again, but models are added to.
  for (PatchOutput &output : outputs) {
    output.status = SPECEX_OK;
    output.path = SPECEX_PATH_NONE;
    const ModelTarget &model = output.model;
    if (model.pixels != nullptr && (frame == nullptr || &output == &outputs.front()))
      std::fill_n(model.pixels, model.stride * model.box.height(), 0.0);
  }
  progress.start(static_cast<int64_t>(patches.size()));
  backend_->extract(run, patches, outputs);
}

specex_status Engine::extract_patches(const specex_image &image,
                                      std::span<const specex_patch> patches,
                                      std::span<specex_result> results, const Log &log,
                                      Progress &progress, StageTotals &stages) {
  stages.clear();
  const StageClock clock(stages);
  check_image(image);
  if (options_.strict != 0)
    for (const specex_patch &patch : patches)
      refuse_bad_pixels(count_bad(image, patch_box(patch, image)));
  std::vector<PatchOutput> outputs;
  for (size_t k = 0; k < patches.size(); ++k) {
    outputs.emplace_back(patches[k], results[k]);
    if (results[k].model != nullptr)
      std::fill_n(results[k].model, model_size(patches[k]), 0.0);
  }
  run(image, patches, outputs, nullptr, log, progress, stages);
  for (size_t k = 0; k < patches.size(); ++k) {
    results[k].status = outputs[k].status;
    results[k].path = outputs[k].path;
  }
  if (progress.cancelled()) fail(SPECEX_CANCELLED, "stopped by the progress callback");
  const bool all_good =
      std::all_of(results.begin(), results.end(),
                  [](const specex_result &r) { return r.status == SPECEX_OK; });
  return all_good ? SPECEX_OK : SPECEX_PARTIAL;
}

int64_t Engine::count_bad(const specex_image &image, const Box &box) const {
  if (image.memory == SPECEX_MEMORY_DEVICE)
    return backend_->device_memory()->count_bad_pixels(image, box);
  std::atomic<int64_t> bad{0};
  constexpr size_t part = 256;  // rows
  deal_parts(num_threads_, static_cast<size_t>(box.height()), part,
             [&](size_t begin, size_t end) {
               bad += count_bad_pixels(
                   image, {box.xmin, box.xmax, box.ymin + static_cast<int>(begin),
                           box.ymin + static_cast<int>(end)});
             });
  return bad;
}

// A frame in host memory is not cleared: its patches write every bin.
void Engine::begin_frame(const specex_grid &grid, specex_frame &frame) const {
  std::vector<double> wavelengths(static_cast<size_t>(grid.nwave));
  for (int64_t w = 0; w < grid.nwave; ++w)
    wavelengths[static_cast<size_t>(w)] = wavelength(grid, w);
  const auto bytes = static_cast<int64_t>(wavelengths.size() * sizeof(double));
  if (frame.memory == SPECEX_MEMORY_DEVICE) {
    DeviceMemory &memory = *backend_->device_memory();
    memory.clear(frame);
    clear_counts(frame);
    if (frame.wavelength != nullptr)
      memory.copy_to_device(frame.wavelength, wavelengths.data(), bytes);
    return;
  }
  clear_sums(frame, num_threads_);
  if (frame.wavelength != nullptr)
    std::copy(wavelengths.begin(), wavelengths.end(), frame.wavelength);
}

// BAD2DFIT, by the medians of chi2pix.
void Engine::flag(specex_frame &frame) const {
  if (frame.memory != SPECEX_MEMORY_DEVICE) {
    flag_bad_fits(frame, num_threads_);
    return;
  }
  if (frame.chi2pix == nullptr || frame.mask == nullptr) return;
  const auto bins = static_cast<size_t>(frame.nspec * frame.nwave);
  std::vector<double> chi2pix(bins);
  std::vector<int32_t> mask(bins);
  const auto chi2_bytes = static_cast<int64_t>(bins * sizeof(double));
  const auto mask_bytes = static_cast<int64_t>(bins * sizeof(int32_t));
  DeviceMemory &memory = *backend_->device_memory();
  memory.copy_from_device(chi2pix.data(), frame.chi2pix, chi2_bytes);
  memory.copy_from_device(mask.data(), frame.mask, mask_bytes);
  specex_frame here = frame;
  here.chi2pix = chi2pix.data();
  here.mask = mask.data();
  flag_bad_fits(here, num_threads_);
  memory.copy_to_device(frame.mask, mask.data(), mask_bytes);
}

specex_status Engine::extract_frame(const specex_image &image, const specex_grid &grid,
                                    specex_frame &frame, const Log &log,
                                    Progress &progress, StageTotals &stages) {
  stages.clear();
  const StageClock clock(stages);
  check_image(image);
  check_reach("frame", frame.memory, *backend_);
  std::vector<specex_patch> patches = plan(grid, frame.first_fiber, frame.nspec);
  if (options_.compat == SPECEX_COMPAT_NONE)
    for (specex_patch &patch : patches) trim(image, patch);
  const int64_t bad =
      count_bad(image, {0, static_cast<int>(image.nx), 0, static_cast<int>(image.ny)});
  if (options_.strict != 0) refuse_bad_pixels(bad);
  if (bad > 0)
    log.write(SPECEX_LOG_WARNING,
              "%lld pixels are not finite or have a negative ivar: masked",
              static_cast<long long>(bad));

  begin_frame(grid, frame);
  frame.nbadpixel = bad;
  std::vector<PatchOutput> outputs;
  for (const specex_patch &patch : patches) outputs.emplace_back(patch, frame);
  try {
    run(image, patches, outputs, &frame, log, progress, stages);
  } catch (...) {
    if (frame.memory == SPECEX_MEMORY_HOST) clear_frame(frame);
    throw;
  }
  if (progress.cancelled()) fail(SPECEX_CANCELLED, "stopped by the progress callback");
  for (const PatchOutput &output : outputs)
    count_patch(output.status, output.path, frame);
  flag(frame);
  if (frame.npatch_failed > 0)
    log.write(SPECEX_LOG_WARNING, "%lld of %lld patches failed: their bins are masked",
              static_cast<long long>(frame.npatch_failed),
              static_cast<long long>(frame.npatch));
  return frame.npatch_failed > 0 ? SPECEX_PARTIAL : SPECEX_OK;
}

void Engine::project(const specex_grid &grid, int first_fiber, int nspec,
                     const double *spectra, int64_t nx, int64_t ny, double *image,
                     Progress &progress) const {
  check_grid(grid);
  check_fibers(psf(), first_fiber, nspec);
  check_coverage(psf(), grid);
  if (!all_finite(spectra, static_cast<size_t>(nspec * grid.nwave)))
    fail(SPECEX_ERROR_ARGUMENT, "spectra has a value that is not finite");
  std::fill_n(image, nx * ny, 0.0);
  specex::project(psf(), *loaded_->spots, grid, first_fiber, nspec, spectra, nx, ny,
                  image, num_threads_, progress);
  const auto pixels = static_cast<size_t>(nx * ny);
  if (all_finite(image, pixels)) return;
  std::fill_n(image, pixels, 0.0);
  fail(SPECEX_ERROR_ARGUMENT, "spectra has values whose sums are not finite");
}

}  // namespace specex
