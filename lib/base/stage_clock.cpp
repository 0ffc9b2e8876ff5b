// SPDX-License-Identifier: BSD-3-Clause
#include "base/stage_clock.hpp"

#include <numeric>

namespace specex {

const char *stage_name(int stage) noexcept {
  constexpr std::array names{"frame",  "pixels",      "spots",   "blocks",
                             "gather", "elimination", "flux",    "root",
                             "model",  "finish",      "fallback"};
  static_assert(names.size() == SPECEX_NSTAGE);
  return stage >= 0 && stage < SPECEX_NSTAGE ? names[static_cast<size_t>(stage)]
                                             : "unknown";
}

void StageTotals::add(const StageSeconds &seconds) {
  const std::lock_guard lock(mutex_);
  for (size_t stage = 0; stage < seconds.size(); ++stage)
    seconds_[stage] += seconds[stage];
}

StageClock::StageClock(StageTotals &totals) : totals_(totals), outer_(of_this_thread_) {
  if (outer_ == nullptr || &outer_->totals_ != &totals) of_this_thread_ = this;
}

StageClock::~StageClock() {
  if (of_this_thread_ != this) return;
  of_this_thread_ = outer_;
  enter(SPECEX_STAGE_FRAME);
  const std::chrono::duration<double> elapsed = Clock::now() - start_;
  const auto total = std::accumulate(spent_.begin(), spent_.end(), int64_t{0});
  const double tick = total > 0 ? elapsed.count() / static_cast<double>(total) : 0.0;
  StageSeconds seconds{};
  for (size_t stage = 0; stage < seconds.size(); ++stage)
    seconds[stage] = static_cast<double>(spent_[stage]) * tick;
  totals_.add(seconds);
}

}  // namespace specex
