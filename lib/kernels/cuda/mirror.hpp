// SPDX-License-Identifier: BSD-3-Clause
//
// Copies, in the other memory, of the arrays that outputs point to, and the same outputs
// pointing to these.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "kernels/cuda/arena.hpp"
#include "kernels/cuda/image_checks.hpp"
#include "kernels/shared/patch_output.hpp"
#include "model/frame.hpp"

namespace specex::gpu {

class Mirror {
 public:
  struct Array {
    void *original;
    int64_t bytes;
    char *copy = nullptr;
    bool is_frame_mask = false;
  };

  explicit Mirror(const specex_frame &frame) {
    const int64_t bins = frame.nspec * frame.nwave;
    for (double *array : {frame.flux, frame.ivar, frame.chi2pix, frame.pixmask_fraction})
      add(array, bins);
    add(frame.resolution, bins * frame.ndiag);
    add(frame.mask, bins);
    if (frame.mask != nullptr) arrays_.back().is_frame_mask = true;
    add(frame.model, frame.model_nx * frame.model_ny);
  }
  Mirror(std::span<const specex_patch> patches, std::span<const PatchOutput> outputs) {
    for (size_t k = 0; k < patches.size(); ++k) {
      const PatchOutput &own = outputs[k];
      const int64_t bins = int64_t{patches[k].nfiber} * patches[k].nbin;
      for (double *array : {own.flux, own.ivar, own.chi2pix, own.pixmask_fraction})
        add(array, bins);
      add(own.resolution, bins * patches[k].ndiag);
      add(own.mask, bins);
      add(own.model.pixels, static_cast<int64_t>(model_size(patches[k])));
    }
  }

  // Memory for all copies, in one piece.
  int64_t size() const {
    int64_t total = 0;
    for (const Array &array : arrays_) total += padded(array.bytes);
    return total;
  }
  void place(void *memory) {
    auto *next = static_cast<char *>(memory);
    for (Array &array : arrays_) {
      array.copy = next;
      next += padded(array.bytes);
      copies_[array.original] = array.copy;
    }
  }
  const std::vector<Array> &arrays() const { return arrays_; }

  PatchOutput of(const PatchOutput &output) const {
    PatchOutput other = output;
    const auto turn = [&](auto *&pointer) {
      if (pointer != nullptr)
        pointer = reinterpret_cast<std::remove_reference_t<decltype(pointer)>>(
            copies_.at(pointer));
    };
    turn(other.flux);
    turn(other.ivar);
    turn(other.resolution);
    turn(other.chi2pix);
    turn(other.pixmask_fraction);
    turn(other.mask);
    turn(other.model.pixels);
    return other;
  }

 private:
  static int64_t padded(int64_t bytes) { return (bytes + 255) / 256 * 256; }

  template <class T>
  void add(T *array, int64_t count) {
    if (array != nullptr) arrays_.push_back({array, count * int64_t{sizeof(T)}});
  }

  std::vector<Array> arrays_;
  std::unordered_map<const void *, char *> copies_;
};

}  // namespace specex::gpu
