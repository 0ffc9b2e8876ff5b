// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/cpu/model_commits.hpp"

#include <utility>

namespace specex {

ModelPart ModelCommits::start(const ModelTarget &target, const Box &box) {
  ModelPart part{target, box, {}};
  {
    const std::lock_guard lock(mutex_);
    if (!spare_.empty()) {
      part.pixels = std::move(spare_.back());
      spare_.pop_back();
    }
  }
  part.pixels.assign(static_cast<size_t>(box.width()) * static_cast<size_t>(box.height()),
                     0.0);
  return part;
}

void ModelCommits::commit(size_t piece, std::vector<ModelPart> parts) {
  const std::lock_guard lock(mutex_);
  waiting_.emplace(piece, std::move(parts));
  for (auto first = waiting_.begin(); first != waiting_.end() && first->first == next_;
       first = waiting_.erase(first), ++next_)
    for (ModelPart &part : first->second) {
      add_to_target(part.target, part.box, part.pixels.data());
      spare_.push_back(std::move(part.pixels));
    }
}

}  // namespace specex
