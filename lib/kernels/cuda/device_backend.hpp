// SPDX-License-Identifier: BSD-3-Clause
//
// The cuda backend: windows of all patches are solved on the device at once, those whose
// shortcuts do not hold there by the cpu backend. A template over what a device is, so
// that the tests run it where there is no GPU.
#pragma once

#include <algorithm>
#include <memory>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "kernels/backend.hpp"
#include "kernels/cuda/mirror.hpp"
#include "kernels/cuda/sheet_solver.hpp"
#include "kernels/shared/run_patch.hpp"

namespace specex::gpu {

template <class Device>
class DeviceBackend final : public Backend, public DeviceMemory {
 public:
  DeviceBackend(const specex_options &options, int num_threads)
      : device_(checked(options).device, options.device_memory),
        buffers_(device_),
        host_(make_cpu_backend(num_threads)) {}

  const char *name() const override { return "cuda"; }
  const char *vectors() const override { return host_->vectors(); }
  std::string device() const override { return device_.name(); }
  DeviceMemory *device_memory() override { return this; }

  void extract(const Run &run, std::span<const specex_patch> patches,
               std::span<PatchOutput> outputs) override {
    on_device([&] { extract_on_device(run, patches, outputs); });
  }

  int64_t count_bad_pixels(const specex_image &image, const Box &box) override {
    unsigned long long total = 0;
    on_device([&] {
      auto *count = static_cast<unsigned long long *>(
          buffers_.geometry.reserve(sizeof(unsigned long long)));
      device_.clear(count, sizeof *count);
      device_.run(int64_t{box.width()} * box.height(), CountBadPixels{image, box, count});
      device_.download(&total, count, sizeof total);
    });
    return static_cast<int64_t>(total);
  }
  void clear(const specex_frame &frame) override {
    const Mirror mirror(frame);
    on_device([&] {
      for (const Mirror::Array &array : mirror.arrays())
        clear_array(array, array.original);
    });
  }
  void copy_to_device(void *to, const void *from, int64_t bytes) override {
    on_device([&] { device_.upload(to, from, static_cast<size_t>(bytes)); });
  }
  void copy_from_device(void *to, const void *from, int64_t bytes) override {
    on_device([&] { device_.download(to, from, static_cast<size_t>(bytes)); });
  }

 private:
  static const specex_options &checked(const specex_options &options) {
    if (Device::lost())
      fail(SPECEX_ERROR_DEVICE,
           "the GPU failed earlier in this process, which has to be started again to use "
           "it");
    return options;
  }

  // Does something with the device and waits for it.
  template <class Work>
  void on_device(Work &&work) {
    try {
      [[maybe_unused]] const auto in_use = device_.use();
      work();
      device_.synchronize();
    } catch (const Error &error) {
      if (error.status() == SPECEX_ERROR_DEVICE) Device::lost() = true;
      throw;
    }
  }

  void extract_on_device(const Run &run, std::span<const specex_patch> patches,
                         std::span<PatchOutput> outputs) {
    std::vector<Window> windows;
    for (size_t k = 0; k < patches.size(); ++k)
      cut_into_windows(run.rules, run.psf, k, patches[k], windows);
    const bool frame_there =
        run.frame != nullptr && run.frame->memory == SPECEX_MEMORY_DEVICE;
    Mirror mirror = run.frame != nullptr ? Mirror(*run.frame) : Mirror(patches, outputs);
    if (!frame_there) place_there(mirror);

    std::vector<Task> tasks;
    std::vector<Window> left;
    const auto *spots = dynamic_cast<const GaussHermiteSpots *>(&run.spots);
    const bool here = spots == nullptr || !has_room(run.psf) || run.rules.noise;
    for (const Window &window : windows) {
      const specex_patch &patch = patches[window.patch];
      if (here || !on_ccd(run.rules, window.shape, patch_box(window.shape, run.image))) {
        left.push_back(window);
        continue;
      }
      const PatchOutput &whole = outputs[window.patch];
      tasks.push_back(
          {&window, &patch,
           PatchOutput(frame_there ? whole : mirror.of(whole),
                       window.shape.first_fiber - patch.first_fiber, window.shape.nfiber,
                       window.shape.first_bin - patch.first_bin, window.shape.nbin)});
    }
    solve(run, *spots, tasks);
    uint32_t reasons = 0;
    for (const Task &task : tasks) {
      reasons |= task.verdict;
      if (task.verdict == verdict_good)
        outputs[task.window->patch].path = SPECEX_PATH_VECTOR;
      else
        left.push_back(*task.window);
    }
    run.log.write(SPECEX_LOG_DEBUG,
                  "the GPU solved %zu of %zu windows, the CPU the others (reasons %x)",
                  windows.size() - left.size(), windows.size(), reasons);
    if (!frame_there) {
      for (const Mirror::Array &array : mirror.arrays())
        device_.download(array.original, array.copy, static_cast<size_t>(array.bytes));
      device_.synchronize();
    }
    count_done(run, patches.size(), left);
    if (!left.empty()) finish_on_host(run, patches, outputs, left, mirror, frame_there);
  }

  void clear_array(const Mirror::Array &array, void *there) {
    if (array.is_frame_mask)
      device_.run(array.bytes / int64_t{sizeof(int32_t)},
                  FillMask{static_cast<int32_t *>(there), SPECEX_MASK_NODATA});
    else
      device_.clear(there, static_cast<size_t>(array.bytes));
  }

  void place_there(Mirror &mirror) {
    mirror.place(buffers_.mirror.reserve(static_cast<size_t>(mirror.size())));
    for (const Mirror::Array &array : mirror.arrays()) clear_array(array, array.copy);
  }

  // The image in the device's memory.
  specex_image image_there(const specex_image &image) {
    if (image.memory == SPECEX_MEMORY_DEVICE) return image;
    const size_t element = image.type == SPECEX_FLOAT32 ? sizeof(float) : sizeof(double);
    const size_t row = static_cast<size_t>(image.nx) * element;
    const auto rows = static_cast<size_t>(image.ny);
    char *pixels = nullptr;
    char *ivar = nullptr;
    Layout layout;
    layout.add(pixels, static_cast<int64_t>(row * rows));
    layout.add(ivar, static_cast<int64_t>(row * rows));
    layout.place(buffers_.image.reserve(layout.size()));
    device_.upload_rows(pixels, image.pixels, row,
                        static_cast<size_t>(image.pixels_stride) * element, rows);
    device_.upload_rows(ivar, image.ivar, row,
                        static_cast<size_t>(image.ivar_stride) * element, rows);
    specex_image there = image;
    there.pixels = pixels;
    there.ivar = ivar;
    there.pixels_stride = there.ivar_stride = image.nx;
    return there;
  }

  void solve(const Run &run, const GaussHermiteSpots &spots, std::vector<Task> &tasks) {
    if (tasks.empty()) return;
    const specex_image image = image_there(run.image);
    const PsfOnDevice<Device> tables(device_, buffers_.tables, run.psf, spots);
    const auto key = [](const Task *task) {
      const specex_patch &shape = task->window->shape;
      return std::tuple(shape.wavemin, shape.wavestep, shape.first_bundle_fiber,
                        shape.pad_first_bin, shape.pad_first_fiber);
    };
    std::vector<Task *> order;
    for (Task &task : tasks) order.push_back(&task);
    std::stable_sort(order.begin(), order.end(),
                     [&](const Task *a, const Task *b) { return key(a) < key(b); });
    const bool distinct = run.frame != nullptr;  // a plan's patches are
    SheetSolver<Device> solver(device_, buffers_, run, image, tables);
    for (size_t first = 0; first < order.size();) {
      size_t end = first + 1;
      while (end < order.size() && same_grid(*order[first], *order[end]) &&
             (distinct ||
              !shares_core(std::span(order).subspan(first, end - first), *order[end])))
        ++end;
      solver.solve(std::span(order).subspan(first, end - first));
      first = end;
    }
    device_.add_times(run.stages);
  }

  static bool same_grid(const Task &a, const Task &b) {
    return a.window->shape.wavemin == b.window->shape.wavemin &&
           a.window->shape.wavestep == b.window->shape.wavestep;
  }

  static bool shares_core(std::span<Task *const> tasks, const Task &task) {
    const auto meet = [](int a, int na, int b, int nb) {
      return a < b + nb && b < a + na;
    };
    const specex_patch &own = task.window->shape;
    return std::any_of(tasks.begin(), tasks.end(), [&](const Task *other) {
      const specex_patch &theirs = other->window->shape;
      return meet(own.first_fiber, own.nfiber, theirs.first_fiber, theirs.nfiber) &&
             meet(own.first_bin, own.nbin, theirs.first_bin, theirs.nbin);
    });
  }

  // Tells of the patches that are done; the host tells of the others.
  static void count_done(const Run &run, size_t npatch, const std::vector<Window> &left) {
    std::vector<bool> open(npatch);
    for (const Window &window : left) open[window.patch] = true;
    for (size_t k = 0; k < npatch; ++k)
      if (!open[k]) run.progress.step();
  }

  // The windows that the device left: few, as a rule.
  void finish_on_host(const Run &run, std::span<const specex_patch> patches,
                      std::span<PatchOutput> outputs, const std::vector<Window> &left,
                      Mirror &mirror, bool frame_there) {
    specex_image image = run.image;
    std::vector<char> pixels;
    if (image.memory == SPECEX_MEMORY_DEVICE) image = image_here(image, pixels);
    const Run here{run.psf,      run.spots,  image,   run.rules,
                   run.progress, run.stages, run.log, run.frame};
    std::vector<PatchOutput> own(outputs.begin(), outputs.end());
    std::vector<char> copies;
    if (frame_there) {
      copies.resize(static_cast<size_t>(mirror.size()));
      mirror.place(copies.data());
      for (const Mirror::Array &array : mirror.arrays())
        device_.download(array.copy, array.original, static_cast<size_t>(array.bytes));
      device_.synchronize();
      for (PatchOutput &output : own) output = mirror.of(output);
    }
    host_->extract_windows(here, patches, own, left);
    if (frame_there) {
      for (const Mirror::Array &array : mirror.arrays())
        device_.upload(array.original, array.copy, static_cast<size_t>(array.bytes));
      device_.synchronize();
    }
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
    device_.download(pixels.data(), image.pixels, bytes(image.pixels_stride));
    device_.download(pixels.data() + first, image.ivar, bytes(image.ivar_stride));
    device_.synchronize();
    specex_image here = image;
    here.memory = SPECEX_MEMORY_HOST;
    here.pixels = pixels.data();
    here.ivar = pixels.data() + first;
    return here;
  }

  Device device_;
  Buffers<Device> buffers_;
  std::unique_ptr<CpuBackend> host_;
};

}  // namespace specex::gpu
