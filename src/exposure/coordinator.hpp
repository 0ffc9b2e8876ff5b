// SPDX-License-Identifier: BSD-3-Clause
//
// Who deals jobs to a pipeline and hears what became of them. Several pipelines, in
// several processes, may share the jobs of a run.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <vector>

#include "exposure/report.hpp"

namespace specex_cli {

// Any thread of the pipeline may call next_job, done and stop.
class Coordinator {
 public:
  virtual ~Coordinator() = default;

  // The number of the next job, nothing when there is none. May wait.
  virtual std::optional<size_t> next_job() = 0;
  virtual void done(size_t job, const FrameRecord &record) = 0;
  // Called often, by the thread that runs the pipeline.
  virtual void attend() = 0;
  // From now on next_job has nothing to give and does not wait.
  virtual void stop() = 0;
  // For a last message.
  virtual std::string summary() const = 0;
};

// Deals all jobs, the longest first, and keeps the report.
class LocalCoordinator : public Coordinator {
 public:
  explicit LocalCoordinator(const std::vector<FrameJob> &jobs)
      : report_(jobs), order_(longest_first(jobs)) {}

  std::optional<size_t> next_job() override {
    const size_t next = dealt_++;
    return next < order_.size() ? std::optional(order_[next]) : std::nullopt;
  }
  void done(size_t job, const FrameRecord &record) override {
    report_.enter(job, record);
  }
  void attend() override { report_.draw(); }
  void stop() override { dealt_ = order_.size(); }
  std::string summary() const override { return report_.summary(); }
  const Report &report() const { return report_; }

 private:
  Report report_;
  const std::vector<size_t> order_;
  std::atomic<size_t> dealt_ = 0;
};

}  // namespace specex_cli
