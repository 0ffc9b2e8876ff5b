// SPDX-License-Identifier: BSD-3-Clause
#include "engine/patch_buffers.hpp"

namespace specex {
namespace {

size_t bins(const specex_patch &patch) {
  return static_cast<size_t>(patch.nfiber) * static_cast<size_t>(patch.nbin);
}

// A patch that leaves the image is not solved (see engine.cpp): it adds nothing to the
// model.
bool inside(const specex_patch &patch, const specex_frame &frame) {
  return patch.xmin >= 0 && patch.xmax <= frame.model_nx && patch.ymin >= 0 &&
         patch.ymax <= frame.model_ny;
}

}  // namespace

PatchBuffers::PatchBuffers(std::span<const specex_patch> patches,
                           const specex_frame &wanted) {
  // One function says which arrays a patch has: first it counts, then it hands them out.
  const auto layout = [&](auto &&take, const specex_patch &patch, specex_result &result) {
    const size_t n = bins(patch);
    if (wanted.flux != nullptr) result.flux = take(n);
    if (wanted.ivar != nullptr) result.ivar = take(n);
    if (wanted.chi2pix != nullptr) result.chi2pix = take(n);
    if (wanted.pixmask_fraction != nullptr) result.pixmask_fraction = take(n);
    if (wanted.resolution != nullptr)
      result.resolution = take(n * static_cast<size_t>(patch.ndiag));
    if (wanted.model != nullptr && inside(patch, wanted))
      result.model = take(model_size(patch));
  };
  size_t total = 0;
  size_t total_bins = 0;
  const auto count = [&](size_t n) {
    total += n;
    return static_cast<double *>(nullptr);
  };
  for (const specex_patch &patch : patches) {
    specex_result unused{};
    layout(count, patch, unused);
    total_bins += bins(patch);
  }
  doubles_.resize(total);
  if (wanted.mask != nullptr) masks_.resize(total_bins);

  double *next = doubles_.data();
  int32_t *next_mask = masks_.data();
  const auto hand_out = [&](size_t n) {
    double *array = next;
    next += n;
    return array;
  };
  for (const specex_patch &patch : patches) {
    specex_result result{};
    result.struct_size = sizeof result;
    layout(hand_out, patch, result);
    if (wanted.mask != nullptr) {
      result.mask = next_mask;
      next_mask += bins(patch);
    }
    results_.push_back(result);
  }
}

}  // namespace specex
