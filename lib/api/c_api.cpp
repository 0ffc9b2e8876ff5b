// SPDX-License-Identifier: BSD-3-Clause
//
// The exported functions of specex.h: check the arguments, call, return a status.
#include <specex/specex.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>

#include "api/guard.hpp"
#include "base/array_memory.hpp"
#include "base/options.hpp"
#include "base/stage_clock.hpp"
#include "base/status.hpp"
#include "base/struct_size.hpp"
#include "model/frame.hpp"
#include "model/grid.hpp"
#include "model/plan.hpp"

#define SPECEX_TEXT_(value) #value
#define SPECEX_TEXT(value) SPECEX_TEXT_(value)

using namespace specex;

namespace {

template <class T>
T *required(T *pointer, const char *name) {
  if (pointer == nullptr) fail(SPECEX_ERROR_ARGUMENT, "%s is NULL", name);
  return pointer;
}

int64_t required_count(int64_t count, int64_t low, const char *name) {
  constexpr int64_t max_count = int64_t{1} << 31;
  if (count < low || count > max_count)
    fail(SPECEX_ERROR_ARGUMENT, "%s is %lld", name, static_cast<long long>(count));
  return count;
}

void match(const char *name, int64_t given, int64_t expected) {
  if (given != expected)
    fail(SPECEX_ERROR_ARGUMENT, "frame.%s is %lld; for this call it must be %lld", name,
         static_cast<long long>(given), static_cast<long long>(expected));
}

void match_ndiag(const specex_frame &frame, const Psf &psf) {
  if (frame.resolution != nullptr) match("ndiag", frame.ndiag, psf.ndiag());
}

// A patch that specex_plan could have made for this PSF. Sizes are bounded, so that no
// later product overflows.
void check_patch(const Psf &psf, const specex_patch &patch, int64_t index) {
  constexpr int limit = 1 << 23;
  constexpr int64_t max_extent = 2 * (int64_t{far_pixel} + 1024);  // of far-off traces
  const auto inside = [](int64_t first, int64_t count, int64_t outer,
                         int64_t outer_count) {
    return count >= 1 && first >= outer && first + count <= outer + outer_count;
  };
  const bool good =
      patch.wavestep > 0.0 && std::isfinite(wavelength(patch, patch.pad_first_bin)) &&
      std::isfinite(wavelength(patch, int64_t{patch.pad_first_bin} + patch.pad_nbin)) &&
      inside(patch.pad_first_fiber, patch.pad_nfiber, 0, psf.nspec) &&
      inside(patch.first_fiber, patch.nfiber, patch.pad_first_fiber, patch.pad_nfiber) &&
      inside(patch.pad_first_bin, patch.pad_nbin, -limit, 2 * limit) &&
      inside(patch.first_bin, patch.nbin, patch.pad_first_bin, patch.pad_nbin) &&
      inside(patch.nkeep, 1, 0, int64_t{patch.nbin} + 1) && patch.ndiag == psf.ndiag() &&
      patch.xmax >= patch.xmin && patch.ymax >= patch.ymin &&
      int64_t{patch.xmax} - patch.xmin <= max_extent &&
      int64_t{patch.ymax} - patch.ymin <= max_extent &&
      int64_t{patch.pad_nfiber} * patch.pad_nbin <= max_unknowns;
  if (!good)
    fail(SPECEX_ERROR_ARGUMENT,
         "patches[%lld] is not one that specex_plan made for this PSF",
         static_cast<long long>(index));
}

std::vector<specex_patch> copy_patches(const Engine &engine, const specex_patch *patches,
                                       int64_t n) {
  auto own = StructArray(required(patches, "patches"), "specex_patch").copy(n);
  for (int64_t k = 0; k < n; ++k)
    check_patch(engine.psf(), own[static_cast<size_t>(k)], k);
  return own;
}

// Gives what became of the patches back to the caller, also where the call was cancelled.
class Results {
 public:
  Results(specex_result *results, int64_t n)
      : given_(required(results, "results"), "specex_result"), own_(given_.copy(n)) {}
  ~Results() {
    for (size_t k = 0; k < own_.size(); ++k)
      return_struct(own_[k], given_.at(static_cast<int64_t>(k)));
  }
  Results(const Results &) = delete;
  Results &operator=(const Results &) = delete;

  std::span<specex_result> own() { return own_; }

 private:
  StructArray<specex_result> given_;
  std::vector<specex_result> own_;
};

}  // namespace

const char *specex_status_name(specex_status status) { return status_name(status); }

const char *specex_status_text(specex_status status) { return status_text(status); }

const char *specex_version(void) {
  return SPECEX_TEXT(SPECEX_VERSION_MAJOR) "." SPECEX_TEXT(
      SPECEX_VERSION_MINOR) "." SPECEX_TEXT(SPECEX_VERSION_PATCH);
}

specex_status specex_options_init(specex_options *options, int64_t size) {
  return without_context([&] {
    required(options, "options");
    if (size < first_release_size<specex_options> || size > max_struct_size)
      fail(SPECEX_ERROR_VERSION, "size is %lld; pass sizeof(specex_options)",
           static_cast<long long>(size));
    std::memset(options, 0, static_cast<size_t>(size));
    options->struct_size = size;
    return_struct(default_options(), options);
    return SPECEX_OK;
  });
}

specex_status specex_create(const specex_options *options, specex_context **context) {
  return without_context([&] {
    *required(context, "context") = nullptr;
    const specex_options own =
        options == nullptr ? default_options() : copy_struct(options, "specex_options");
    check_options(own);
    auto made = std::make_unique<specex_context>(own);
    specex_context *handle = made.get();
    register_context(std::move(made));
    *context = handle;
    return SPECEX_OK;
  });
}

specex_status specex_destroy(specex_context *context) {
  return without_context(
      [&] {
        if (context != nullptr) destroy_context(context);
        return SPECEX_OK;
      },
      context);
}

const char *specex_last_error(const specex_context *context) {
  return last_message(context);
}

specex_status specex_describe(specex_context *context, char *buffer, int64_t capacity) {
  return with_context(context, [&](specex_context &own) {
    required(buffer, "buffer");
    required_count(capacity, 1, "capacity");
    const std::string text = own.engine.describe();
    const auto count = std::min(text.size(), static_cast<size_t>(capacity) - 1);
    std::memcpy(buffer, text.data(), count);
    buffer[count] = '\0';
    return SPECEX_OK;
  });
}

specex_status specex_set_log(specex_context *context, specex_log_callback callback,
                             void *user) {
  return with_context(context, [&](specex_context &own) {
    own.log.set(callback, user);
    return SPECEX_OK;
  });
}

specex_status specex_set_progress(specex_context *context,
                                  specex_progress_callback callback, void *user) {
  return with_context(context, [&](specex_context &own) {
    own.progress.set(callback, user);
    return SPECEX_OK;
  });
}

specex_status specex_set_psf(specex_context *context, const specex_psf *psf) {
  return with_context(context, [&](specex_context &own) {
    own.engine.set_psf(copy_psf(copy_struct(psf, "specex_psf")));
    return SPECEX_OK;
  });
}

specex_status specex_get_psf_info(specex_context *context, specex_psf_info *info) {
  return with_context(context, [&](specex_context &own) {
    specex_psf_info filled = copy_struct(info, "specex_psf_info");
    const Psf &psf = own.engine.psf();
    filled.nspec = psf.nspec;
    filled.ndiag = psf.ndiag();
    filled.spot_nx = psf.spot_nx();
    filled.spot_ny = psf.spot_ny();
    filled.wavemin = psf.wavemin();
    filled.wavemax = psf.wavemax();
    filled.psferr = own.engine.psferr();
    filled.nx = psf.nx;
    filled.ny = psf.ny;
    return_struct(filled, info);
    return SPECEX_OK;
  });
}

specex_status specex_trace(specex_context *context, int32_t fiber, const double *wave,
                           int64_t n, double *x, double *y) {
  return with_context(context, [&](specex_context &own) {
    const Psf &psf = own.engine.psf();
    check_fibers(psf, fiber, 1);
    required_count(n, 0, "n");
    if (n == 0) return SPECEX_OK;
    required(wave, "wave");
    required(x, "x");
    required(y, "y");
    for (int64_t k = 0; k < n; ++k)
      if (!std::isfinite(psf.xtrace.at(fiber, wave[k])) ||
          !std::isfinite(psf.ytrace.at(fiber, wave[k])))
        fail(SPECEX_ERROR_ARGUMENT,
             "wave[%lld] is %g: the trace of fibre %d is not finite there",
             static_cast<long long>(k), wave[k], fiber);
    for (int64_t k = 0; k < n; ++k) {
      const double at = wave[k];  // x or y may be the same array
      x[k] = psf.xtrace.at(fiber, at);
      y[k] = psf.ytrace.at(fiber, at);
    }
    return SPECEX_OK;
  });
}

specex_status specex_grid_from_range(double wavemin, double wavemax, double wavestep,
                                     specex_grid *grid) {
  return without_context([&] {
    check_struct_size(grid, "specex_grid");
    return_struct(grid_from_range(wavemin, wavemax, wavestep), grid);
    return SPECEX_OK;
  });
}

specex_status specex_plan(specex_context *context, const specex_grid *grid,
                          int32_t first_fiber, int32_t nspec, specex_patch *patches,
                          int64_t capacity, int64_t *count) {
  return with_context(context, [&](specex_context &own) {
    const specex_grid own_grid = copy_struct(grid, "specex_grid");
    required(count, "count");
    const std::vector<specex_patch> plan = own.engine.plan(own_grid, first_fiber, nspec);
    *count = static_cast<int64_t>(plan.size());
    if (patches == nullptr && capacity == 0) return SPECEX_OK;
    if (capacity < *count)
      fail(SPECEX_ERROR_ARGUMENT, "capacity is %lld; the plan has %lld patches",
           static_cast<long long>(capacity), static_cast<long long>(*count));
    if (!could_be_size<specex_patch>(required(patches, "patches")->struct_size))
      patches->struct_size = first_release_size<specex_patch>;
    const StructArray given(patches, "specex_patch");
    for (int64_t k = 0; k < *count; ++k) given.set(k, plan[static_cast<size_t>(k)]);
    return SPECEX_OK;
  });
}

specex_status specex_extract_patches(specex_context *context, const specex_image *image,
                                     const specex_patch *patches, int64_t n,
                                     specex_result *results) {
  return with_context(context, [&](specex_context &own) -> specex_status {
    const specex_image own_image = copy_struct(image, "specex_image");
    required_count(n, 0, "n");
    if (n == 0) return SPECEX_OK;
    const auto own_patches = copy_patches(own.engine, patches, n);
    Results own_results(results, n);
    return own.engine.extract_patches(own_image, own_patches, own_results.own(), own.log,
                                      own.progress, own.stages);
  });
}

specex_status specex_assemble(specex_context *context, const specex_patch *patches,
                              const specex_result *results, int64_t n,
                              specex_frame *frame) {
  return with_context(context, [&](specex_context &own) {
    specex_frame own_frame = copy_struct(frame, "specex_frame");
    check_frame(own_frame);
    check_host_memory("frame", own_frame.memory);
    match_ndiag(own_frame, own.engine.psf());
    std::vector<specex_patch> own_patches;
    std::vector<specex_result> own_results;
    if (required_count(n, 0, "n") > 0) {
      own_patches = copy_patches(own.engine, patches, n);
      own_results = StructArray(required(results, "results"), "specex_result").copy(n);
    }
    clear_frame(own_frame);
    if (own_frame.wavelength != nullptr && !own_patches.empty())
      for (int64_t w = 0; w < own_frame.nwave; ++w)
        own_frame.wavelength[w] = wavelength(own_patches.front(), w);
    for (size_t k = 0; k < own_patches.size(); ++k)
      place_patch(own_patches[k], own_results[k], own_frame);
    flag_bad_fits(own_frame);
    return_struct(own_frame, frame);
    return own_frame.npatch_failed > 0 ? SPECEX_PARTIAL : SPECEX_OK;
  });
}

specex_status specex_extract_frame(specex_context *context, const specex_image *image,
                                   const specex_grid *grid, int32_t first_fiber,
                                   int32_t nspec, specex_frame *frame) {
  return with_context(context, [&](specex_context &own) {
    const specex_image own_image = copy_struct(image, "specex_image");
    const specex_grid own_grid = copy_struct(grid, "specex_grid");
    specex_frame own_frame = copy_struct(frame, "specex_frame");
    check_frame(own_frame);
    check_grid(own_grid);
    match("first_fiber", own_frame.first_fiber, first_fiber);
    match("nspec", own_frame.nspec, nspec);
    match("nwave", own_frame.nwave, own_grid.nwave);
    match_ndiag(own_frame, own.engine.psf());
    if (own_frame.model != nullptr) {
      match("model_nx", own_frame.model_nx, own_image.nx);
      match("model_ny", own_frame.model_ny, own_image.ny);
    }
    const specex_status status = own.engine.extract_frame(
        own_image, own_grid, own_frame, own.log, own.progress, own.stages);
    return_struct(own_frame, frame);
    return status;
  });
}

const char *specex_stage_name(int32_t stage) { return stage_name(stage); }

specex_status specex_stage_seconds(specex_context *context, double *seconds,
                                   int64_t capacity) {
  return with_context(context, [&](specex_context &own) {
    required_count(capacity, 0, "capacity");
    if (capacity == 0) return SPECEX_OK;
    const StageSeconds &spent = own.stages.seconds();
    std::fill_n(required(seconds, "seconds"), capacity, 0.0);
    std::copy_n(spent.begin(), std::min<int64_t>(capacity, SPECEX_NSTAGE), seconds);
    return SPECEX_OK;
  });
}

specex_status specex_project(specex_context *context, const specex_grid *grid,
                             int32_t first_fiber, int32_t nspec, const double *spectra,
                             int64_t nx, int64_t ny, double *image) {
  return with_context(context, [&](specex_context &own) {
    const specex_grid own_grid = copy_struct(grid, "specex_grid");
    required(spectra, "spectra");
    required(image, "image");
    for (const int64_t size : {nx, ny})
      if (size < 1 || size > far_pixel)
        fail(SPECEX_ERROR_ARGUMENT, "an image of %lld x %lld pixels cannot be made",
             static_cast<long long>(nx), static_cast<long long>(ny));
    own.engine.project(own_grid, first_fiber, nspec, spectra, nx, ny, image,
                       own.progress);
    return SPECEX_OK;
  });
}
