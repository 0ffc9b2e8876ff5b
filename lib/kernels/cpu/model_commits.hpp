// SPDX-License-Identifier: BSD-3-Clause
//
// What pieces add to the model image. Pieces overlap on it, and sums of doubles depend on
// their order: so they are added in the order of the pieces, whichever is ready first.
#pragma once

#include <map>
#include <mutex>
#include <vector>

#include "kernels/shared/patch_output.hpp"

namespace specex {

struct ModelPart {
  ModelTarget target;
  Box box;
  std::vector<double> pixels;  // [height][width]
};

class ModelCommits {
 public:
  // An image of zeros.
  ModelPart start(const ModelTarget &target, const Box &box);
  // Takes over what piece number `piece` has: every piece must come, once.
  void commit(size_t piece, std::vector<ModelPart> parts);

 private:
  std::mutex mutex_;
  size_t next_ = 0;
  std::map<size_t, std::vector<ModelPart>> waiting_;
  std::vector<std::vector<double>> spare_;  // memory that was touched before
};

}  // namespace specex
