// SPDX-License-Identifier: BSD-3-Clause
//
// Memory for the results of the patches in flight; only what the frame wants.
#pragma once

#include <specex/specex.h>

#include <span>
#include <vector>

namespace specex {

class PatchBuffers {
 public:
  PatchBuffers(std::span<const specex_patch> patches, const specex_frame &wanted);
  std::span<specex_result> results() { return results_; }

 private:
  std::vector<double> doubles_;
  std::vector<int32_t> masks_;
  std::vector<specex_result> results_;
};

// Elements of a patch's model image.
inline size_t model_size(const specex_patch &patch) {
  return static_cast<size_t>(patch.xmax - patch.xmin) *
         static_cast<size_t>(patch.ymax - patch.ymin);
}

}  // namespace specex
