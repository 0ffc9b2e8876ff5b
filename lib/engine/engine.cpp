// SPDX-License-Identifier: BSD-3-Clause
#include "engine/engine.hpp"

#include <algorithm>
#include <atomic>
#include <string_view>

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

std::unique_ptr<Backend> make_backend(const specex_options &options, int num_threads) {
  switch (options.backend) {
    case SPECEX_BACKEND_REFERENCE:
      return make_reference_backend();
    case SPECEX_BACKEND_CUDA:
      fail(SPECEX_ERROR_NO_DEVICE,
           "this build of libspecex has no CUDA backend; use cpu");
    default:
      return make_cpu_backend(num_threads);
  }
}

bool computes_on_device(const Backend &backend) {
  return std::string_view(backend.name()) == "cuda";
}

void check_reach(const char *name, int32_t memory, const Backend &backend) {
  check_memory(name, memory);
  if (memory == SPECEX_MEMORY_DEVICE && !computes_on_device(backend))
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
      backend_(make_backend(options, num_threads_)) {}

std::string Engine::describe() const {
  return "libspecex " + std::string(specex_version()) + ", backend " + backend_->name() +
         ", vectors " + backend_->vectors() + ", threads " + std::to_string(num_threads_);
}

void Engine::set_psf(Psf psf) { loaded_ = std::make_unique<LoadedPsf>(std::move(psf)); }

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
                 std::span<PatchOutput> outputs, Progress &progress,
                 StageTotals &stages) const {
  Rules rules;
  rules.compat = options_.compat == SPECEX_COMPAT_GPU_SPECTER;
  rules.noise = options_.decorrelate == SPECEX_DECORRELATE_NOISE;
  rules.regularize = options_.regularize;
  rules.psferr = psferr();
  backend_->extract({loaded_->psf, *loaded_->spots, image, rules, progress, stages},
                    patches, outputs);
}

specex_status Engine::extract_patches(const specex_image &image,
                                      std::span<const specex_patch> patches,
                                      std::span<specex_result> results,
                                      Progress &progress, StageTotals &stages) const {
  stages.clear();
  const StageClock clock(stages);
  check_image(image);
  if (options_.strict != 0)
    for (const specex_patch &patch : patches)
      refuse_bad_pixels(count_bad_pixels(image, patch_box(patch, image)));
  std::vector<PatchOutput> outputs;
  for (size_t k = 0; k < patches.size(); ++k) {
    outputs.emplace_back(patches[k], results[k]);
    if (results[k].model != nullptr)
      std::fill_n(results[k].model, model_size(patches[k]), 0.0);
  }
  progress.start(static_cast<int64_t>(patches.size()));
  run(image, patches, outputs, progress, stages);
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

specex_status Engine::extract_frame(const specex_image &image, const specex_grid &grid,
                                    specex_frame &frame, const Log &log,
                                    Progress &progress, StageTotals &stages) const {
  stages.clear();
  const StageClock clock(stages);
  check_image(image);
  check_reach("frame", frame.memory, *backend_);
  std::vector<specex_patch> patches = plan(grid, frame.first_fiber, frame.nspec);
  if (options_.compat == SPECEX_COMPAT_NONE)
    for (specex_patch &patch : patches) trim(image, patch);
  std::atomic<int64_t> bad{0};
  constexpr size_t part = 256;  // rows
  deal_parts(
      num_threads_, static_cast<size_t>(image.ny), part, [&](size_t begin, size_t end) {
        bad += count_bad_pixels(image, {0, static_cast<int>(image.nx),
                                        static_cast<int>(begin), static_cast<int>(end)});
      });
  if (options_.strict != 0) refuse_bad_pixels(bad);
  if (bad > 0)
    log.write(SPECEX_LOG_WARNING,
              "%lld pixels are not finite or have a negative ivar: masked",
              static_cast<long long>(bad.load()));

  clear_frame(frame, num_threads_);
  frame.nbadpixel = bad;
  if (frame.wavelength != nullptr)
    for (int64_t w = 0; w < grid.nwave; ++w) frame.wavelength[w] = wavelength(grid, w);
  progress.start(static_cast<int64_t>(patches.size()));
  std::vector<PatchOutput> outputs;
  for (const specex_patch &patch : patches) outputs.emplace_back(patch, frame);
  run(image, patches, outputs, progress, stages);
  if (progress.cancelled()) fail(SPECEX_CANCELLED, "stopped by the progress callback");
  for (const PatchOutput &output : outputs)
    count_patch(output.status, output.path, frame);
  flag_bad_fits(frame, num_threads_);
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
