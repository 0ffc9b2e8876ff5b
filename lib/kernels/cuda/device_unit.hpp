// SPDX-License-Identifier: BSD-3-Clause
//
// One device with all that it keeps from call to call.
#pragma once

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include "kernels/backend.hpp"
#include "kernels/cuda/mirror.hpp"
#include "kernels/cuda/sheet_solver.hpp"

namespace specex::gpu {

template <class Device>
class DeviceUnit final : public DeviceMemory {
 public:
  // number: of the device
  DeviceUnit(int number, int64_t memory)
      : device_(checked(number), memory), buffers_(device_) {}

  std::string name() const { return device_.name(); }

  // Solves windows into the outputs of their patches, which are parts of run.frame where
  // there is one. Appends those that it could not to `left`, and returns why.
  uint32_t solve(const Run &run, std::span<const specex_patch> patches,
                 std::span<const PatchOutput> outputs,
                 std::span<const Window *const> windows,
                 std::vector<const Window *> &left) {
    uint32_t reasons = verdict_good;
    on_device([&] { reasons = solve_here(run, patches, outputs, windows, left); });
    return reasons;
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
  static int checked(int number) {
    if (Device::lost())
      fail(SPECEX_ERROR_DEVICE,
           "the GPU failed earlier in this process, which has to be started again to use "
           "it");
    return number;
  }

  // Does something with the device and waits for it.
  template <class Work>
  void on_device(Work &&work) {
    try {
      [[maybe_unused]] const auto in_use = device_.use();
      work();
      device_.synchronize();
    } catch (...) {
      device_.settle();  // nothing may be written to the caller's arrays later
      if (current_error().status() == SPECEX_ERROR_DEVICE) Device::lost() = true;
      throw;
    }
  }

  uint32_t solve_here(const Run &run, std::span<const specex_patch> patches,
                      std::span<const PatchOutput> outputs,
                      std::span<const Window *const> windows,
                      std::vector<const Window *> &left) {
    const bool results_there =
        run.frame != nullptr && run.frame->memory == SPECEX_MEMORY_DEVICE;
    Mirror mirror = run.frame != nullptr ? Mirror(*run.frame) : Mirror(patches, outputs);
    if (!results_there) place_there(mirror);
    std::vector<Task> tasks;
    for (const Window *window : windows) {
      const specex_patch &patch = patches[window->patch];
      const PatchOutput &whole = outputs[window->patch];
      tasks.push_back(
          {window, &patch,
           PatchOutput(results_there ? whole : mirror.of(whole),
                       window->shape.first_fiber - patch.first_fiber,
                       window->shape.nfiber, window->shape.first_bin - patch.first_bin,
                       window->shape.nbin)});
    }
    solve_tasks(run, tasks);
    if (!results_there)
      for (const Mirror::Array &array : mirror.arrays())
        device_.download(array.original, array.copy, static_cast<size_t>(array.bytes));
    uint32_t reasons = verdict_good;
    for (const Task &task : tasks) {
      reasons |= task.verdict;
      if (task.verdict != verdict_good) left.push_back(task.window);
    }
    return reasons;
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

  void solve_tasks(const Run &run, std::vector<Task> &tasks) {
    if (tasks.empty()) return;
    const auto &spots = dynamic_cast<const GaussHermiteSpots &>(run.spots);
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

  Device device_;
  Buffers<Device> buffers_;
};

}  // namespace specex::gpu
