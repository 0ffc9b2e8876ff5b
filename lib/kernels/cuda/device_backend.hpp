// SPDX-License-Identifier: BSD-3-Clause
//
// The cuda backend: windows of all patches are solved on a device at once, or dealt by
// bundles over several; those whose shortcuts do not hold there by the cpu backend. A
// template over what a device is, so that the tests run it where there is no GPU.
#pragma once

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "kernels/cuda/device_unit.hpp"
#include "kernels/shared/patch_pixels.hpp"

namespace specex::gpu {

template <class Device>
class DeviceBackend final : public Backend {
 public:
  DeviceBackend(const specex_options &options, int num_threads)
      : host_(make_cpu_backend(num_threads)) {
    for (int k = 0; k < options.num_devices; ++k)
      units_.push_back(std::make_unique<Unit>(options.device + k, options.device_memory));
  }

  const char *name() const override { return "cuda"; }
  const char *vectors() const override { return host_->vectors(); }
  std::string device() const override {
    const std::string one = units_.front()->name();
    return units_.size() == 1 ? one : std::to_string(units_.size()) + " x " + one;
  }
  DeviceMemory *device_memory() override { return units_.front().get(); }

  void extract(const Run &run, std::span<const specex_patch> patches,
               std::span<PatchOutput> outputs) override {
    std::vector<Window> windows;
    for (size_t k = 0; k < patches.size(); ++k)
      cut_into_windows(run.rules, run.psf, k, patches[k], windows);
    const bool able = dynamic_cast<const GaussHermiteSpots *>(&run.spots) != nullptr &&
                      has_room(run.psf) && !run.rules.noise;
    Windows here;
    Windows left;
    for (const Window &window : windows)
      if (able && on_ccd(run.rules, window.shape, patch_box(window.shape, run.image)))
        here.push_back(&window);
      else
        left.push_back(&window);
    const uint32_t reasons = solve(run, patches, outputs, here, left);
    const std::set<const Window *> not_here(left.begin(), left.end());
    for (const Window *window : here)
      if (!not_here.contains(window)) outputs[window->patch].path = SPECEX_PATH_VECTOR;
    run.log.write(SPECEX_LOG_DEBUG,
                  "the GPU solved %zu of %zu windows, the CPU the others (reasons %x)",
                  windows.size() - left.size(), windows.size(), reasons);
    count_done(run, patches.size(), left);
    if (!left.empty()) finish_on_host(run, patches, outputs, left);
  }

 private:
  using Unit = DeviceUnit<Device>;
  using Windows = std::vector<const Window *>;

  static bool is_there(int32_t memory) { return memory == SPECEX_MEMORY_DEVICE; }

  uint32_t solve(const Run &run, std::span<const specex_patch> patches,
                 std::span<const PatchOutput> outputs, const Windows &windows,
                 Windows &left) {
    std::set<int> bundles;
    for (const Window *window : windows) bundles.insert(window->shape.first_bundle_fiber);
    // Arrays in device memory are on the first one.
    const bool apart = run.frame != nullptr && !is_there(run.frame->memory) &&
                       !is_there(run.image.memory);
    const size_t count = apart ? std::min(units_.size(), bundles.size()) : 1;
    if (count <= 1) return units_.front()->solve(run, patches, outputs, windows, left);

    std::vector<Share> shares(count);
    const std::vector<int> order(bundles.begin(), bundles.end());
    for (size_t u = 0; u < count; ++u) {
      shares[u].first_fiber = order[u * order.size() / count];
      if (u > 0) shares[u - 1].end_fiber = shares[u].first_fiber;
    }
    shares.front().first_fiber = run.frame->first_fiber;
    shares.back().end_fiber = run.frame->first_fiber + run.frame->nspec;
    FirstError failure;
    std::vector<std::thread> threads;
    for (size_t u = 0; u < count; ++u)
      threads.emplace_back([&, u] {
        try {
          shares[u].solve(*units_[u], run, patches, windows, u > 0);
        } catch (...) {
          failure.keep_current();
        }
      });
    for (std::thread &thread : threads) thread.join();
    failure.throw_if_any();
    uint32_t reasons = verdict_good;
    for (const Share &share : shares) {
      reasons |= share.reasons;
      left.insert(left.end(), share.left.begin(), share.left.end());
      for (size_t k = 0; k < share.model.size(); ++k)
        run.frame->model[k] += share.model[k];
    }
    return reasons;
  }

  // The bundles of a frame that one device solves.
  struct Share {
    int first_fiber;
    int end_fiber;
    std::vector<double> model;  // to be added to the frame's
    Windows left;
    uint32_t reasons = verdict_good;

    void solve(Unit &unit, const Run &run, std::span<const specex_patch> patches,
               const Windows &all, bool with_own_model) {
      specex_frame part = *run.frame;
      part.first_fiber = first_fiber;
      part.nspec = end_fiber - first_fiber;
      const int64_t skipped = int64_t{first_fiber - run.frame->first_fiber} * part.nwave;
      for (double **array :
           {&part.flux, &part.ivar, &part.chi2pix, &part.pixmask_fraction})
        if (*array != nullptr) *array += skipped;
      if (part.resolution != nullptr) part.resolution += skipped * part.ndiag;
      if (part.mask != nullptr) part.mask += skipped;
      if (part.model != nullptr && with_own_model) {
        model.resize(static_cast<size_t>(part.model_nx * part.model_ny));
        part.model = model.data();
      }
      std::vector<PatchOutput> outputs;
      for (const specex_patch &patch : patches) outputs.emplace_back(patch, part);
      Windows own;
      for (const Window *window : all) {
        const int bundle = window->shape.first_bundle_fiber;
        if (bundle < end_fiber && (bundle >= first_fiber || !with_own_model))
          own.push_back(window);
      }
      const Run mine{run.psf,      run.spots,  run.image, run.rules,
                     run.progress, run.stages, run.log,   &part};
      reasons = unit.solve(mine, patches, outputs, own, left);
    }
  };

  // Tells of the patches that are done; the host tells of the others.
  static void count_done(const Run &run, size_t npatch, const Windows &left) {
    std::vector<bool> open(npatch);
    for (const Window *window : left) open[window->patch] = true;
    for (size_t k = 0; k < npatch; ++k)
      if (!open[k]) run.progress.step();
  }

  // The windows that the devices left: few, as a rule.
  void finish_on_host(const Run &run, std::span<const specex_patch> patches,
                      std::span<PatchOutput> outputs, const Windows &left) {
    std::vector<Window> windows;
    for (const Window *window : left) windows.push_back(*window);
    specex_image image = run.image;
    std::vector<char> pixels;
    if (is_there(image.memory)) image = image_here(image, pixels);
    const Run here{run.psf,      run.spots,  image,   run.rules,
                   run.progress, run.stages, run.log, run.frame};
    if (run.frame == nullptr || !is_there(run.frame->memory)) {
      host_->extract_windows(here, patches, outputs, windows);
      return;
    }
    DeviceMemory &memory = *units_.front();
    Mirror mirror(*run.frame);
    std::vector<char> copies(static_cast<size_t>(mirror.size()));
    mirror.place(copies.data());
    std::vector<PatchOutput> own;
    for (const PatchOutput &output : outputs) own.push_back(mirror.of(output));
    for (const Mirror::Array &array : mirror.arrays())
      memory.copy_from_device(array.copy, array.original, array.bytes);
    host_->extract_windows(here, patches, own, windows);
    for (const Mirror::Array &array : mirror.arrays())
      memory.copy_to_device(array.original, array.copy, array.bytes);
    for (size_t k = 0; k < own.size(); ++k) {
      outputs[k].status = own[k].status;
      outputs[k].path = own[k].path;
    }
  }

  specex_image image_here(const specex_image &image, std::vector<char> &pixels) {
    const size_t element = image.type == SPECEX_FLOAT32 ? sizeof(float) : sizeof(double);
    const auto bytes = [&](int64_t stride) {
      return (static_cast<size_t>(image.ny - 1) * static_cast<size_t>(stride) +
              static_cast<size_t>(image.nx)) *
             element;
    };
    const size_t first = (bytes(image.pixels_stride) + 7) / 8 * 8;
    pixels.resize(first + bytes(image.ivar_stride));
    DeviceMemory &memory = *units_.front();
    memory.copy_from_device(pixels.data(), image.pixels,
                            static_cast<int64_t>(bytes(image.pixels_stride)));
    memory.copy_from_device(pixels.data() + first, image.ivar,
                            static_cast<int64_t>(bytes(image.ivar_stride)));
    specex_image here = image;
    here.memory = SPECEX_MEMORY_HOST;
    here.pixels = pixels.data();
    here.ivar = pixels.data() + first;
    return here;
  }

  std::unique_ptr<CpuBackend> host_;
  std::vector<std::unique_ptr<Unit>> units_;
};

}  // namespace specex::gpu
