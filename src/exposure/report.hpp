// SPDX-License-Identifier: BSD-3-Clause
//
// What became of every frame of a run: told while it goes on, and in sum.
#pragma once

#include <chrono>
#include <mutex>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "exposure/frame_job.hpp"

namespace specex_cli {

enum class Outcome {
  waiting,
  good,      // written
  verified,  // was there already, and as it should be
  degraded,  // written, or was there, but not all of it could be measured
  failed     // not written
};

struct StageSeconds {
  double read = 0;
  double extract = 0;
  double write = 0;
};

struct FrameRecord {
  Outcome outcome = Outcome::waiting;
  int exit_code = 0;
  std::string reason;
  StageSeconds seconds;
};

FrameRecord found_frame(const std::string &shortcoming, double seconds);
FrameRecord written_frame(const std::string &shortcoming, const StageSeconds &seconds);
FrameRecord failed_frame(int exit_code, const std::string &reason);

// May be told of frames by several threads.
class Report {
 public:
  explicit Report(const std::vector<FrameJob> &jobs);

  void enter(size_t job, const FrameRecord &record);

  // A bar with the rate and the time left, on a terminal.
  void draw() const;

  // Of all that are done, how many, and what is wrong with how many.
  std::string summary() const;
  // Good if all frames are; degraded if some are there; else that of the first failure.
  int exit_code() const;

  // Keys: total_s, frames_per_hour (of those that were extracted), read_s, extract_s,
  // write_s (sums over frames), good, verified, degraded, failed, waiting (numbers of
  // frames), peak_memory_mb, and frames, a list with input, output, outcome, exit_code,
  // reason and the times of each.
  nlohmann::ordered_json json() const;

 private:
  size_t count(Outcome outcome) const;
  size_t done() const { return entries_.size() - count(Outcome::waiting); }
  size_t extracted() const;
  double elapsed() const;
  double seconds_left() const;
  std::string progress() const;

  const std::vector<FrameJob> &jobs_;
  const std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  mutable std::mutex mutex_;
  std::vector<FrameRecord> entries_;
};

}  // namespace specex_cli
