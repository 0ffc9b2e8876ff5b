// SPDX-License-Identifier: BSD-3-Clause
//
// Where the time of a call goes: seconds by stage, summed over its threads. A thread
// reads the clock where a stage begins or ends and nowhere else, and counts every moment
// to exactly one stage.
#pragma once

#include <specex/specex.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <utility>

namespace specex {

// "spots"; "unknown" for a number that is no stage.
const char *stage_name(int stage) noexcept;

using StageSeconds = std::array<double, SPECEX_NSTAGE>;

// Of all threads of a call.
class StageTotals {
 public:
  void clear() { seconds_ = {}; }
  void add(const StageSeconds &seconds);
  const StageSeconds &seconds() const { return seconds_; }

 private:
  std::mutex mutex_;
  StageSeconds seconds_{};
};

// Counts the time of the thread that made it, until its end. What is in no StageScope is
// SPECEX_STAGE_FRAME. Where the thread has a clock for the same totals already, that one
// goes on alone; one for others, of a call that this one is made within, goes on as well.
class StageClock {
 public:
  explicit StageClock(StageTotals &totals);
  ~StageClock();
  StageClock(const StageClock &) = delete;
  StageClock &operator=(const StageClock &) = delete;

  // NULL where nobody wants to know.
  static StageClock *of_this_thread() { return of_this_thread_; }

  // From now on. Returns the stage until now.
  int enter(int stage) {
    const int64_t now = ticks();
    spent_[static_cast<size_t>(stage_)] += now - since_;
    since_ = now;
    return std::exchange(stage_, stage);
  }

 private:
  using Clock = std::chrono::steady_clock;
  // Of the processor's counter, which is read in a fraction of the time that a clock
  // takes; the clock tells at the end what a tick was.
  static int64_t ticks() {
#ifdef __x86_64__
    return static_cast<int64_t>(__builtin_ia32_rdtsc());
#else
    return Clock::now().time_since_epoch().count();
#endif
  }

  static inline constinit thread_local StageClock *of_this_thread_ = nullptr;

  StageTotals &totals_;
  StageClock *outer_;
  Clock::time_point start_ = Clock::now();
  int64_t since_ = ticks();
  std::array<int64_t, SPECEX_NSTAGE> spent_{};  // ticks
  int stage_ = SPECEX_STAGE_FRAME;
};

// The time of a scope, less that of the scopes inside it, is a stage's.
class StageScope {
 public:
  explicit StageScope(int stage)
      : clock_(StageClock::of_this_thread()),
        before_(clock_ == nullptr ? stage : clock_->enter(stage)) {}
  ~StageScope() {
    if (clock_ != nullptr) clock_->enter(before_);
  }
  StageScope(const StageScope &) = delete;
  StageScope &operator=(const StageScope &) = delete;

 private:
  StageClock *clock_;
  int before_;
};

}  // namespace specex
