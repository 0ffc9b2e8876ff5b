// SPDX-License-Identifier: BSD-3-Clause
//
// Frames on their way through three stages that work at the same time: reading,
// extracting, writing. How many are on their way is bounded by memory and by short
// queues.
#pragma once

#include <atomic>
#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "exposure/bounded_queue.hpp"
#include "exposure/coordinator.hpp"
#include "exposure/frame_job.hpp"
#include "exposure/memory_budget.hpp"
#include "exposure/psf_cache.hpp"

namespace specex_cli {

struct PipelineShape {
  int readers = 1;
  int extractors = 1;  // frames extracted at the same time
  int writers = 1;
  int threads = 1;          // of each extractor
  int64_t spot_memory = 0;  // bytes, of each extractor
  int64_t memory = 0;       // bytes for the frames on their way
  bool resume = true;  // whether a frame that is there and as it should be is left alone
};

// Extracts the frame of a job that was read.
using Extract = std::function<void(size_t job, const Context &, Extraction &)>;
void extract_alone(size_t job, const Context &context, Extraction &extraction);

class Pipeline {
 public:
  Pipeline(const std::vector<FrameJob> &jobs, const PipelineShape &shape,
           Coordinator &coordinator, Extract extract = extract_alone);

  // Returns when all jobs are done, well or not, or a signal asked to stop; what is being
  // written then has a second to end, before the process does.
  void run();

 private:
  struct FrameInFlight {
    size_t job;
    MemoryBudget::Share memory;
    Extraction extraction;
    StageSeconds seconds;
  };
  using Frame = std::unique_ptr<FrameInFlight>;

  void read_frames();
  void extract_frames();
  void write_frames();
  Frame read_frame(const Context &context, size_t number);
  void extract_frame(const Context &context, FrameInFlight &frame);
  void write_frame(const Context &context, FrameInFlight &frame);
  template <class Work>
  void isolate(size_t job, Work work);

  void run_stage(void (Pipeline::*stage)(), std::atomic<int> &running,
                 BoundedQueue<Frame> *next);
  bool wait_until_ended(std::chrono::milliseconds time);
  void stop();
  [[noreturn]] void abandon() const;

  const std::vector<FrameJob> &jobs_;
  const PipelineShape shape_;
  Coordinator &coordinator_;
  const Extract extract_;

  PsfCache psfs_;
  MemoryBudget memory_;
  BoundedQueue<Frame> read_;
  BoundedQueue<Frame> extracted_;
  std::atomic<int> readers_, extractors_, writers_;  // still at work
  std::atomic<bool> stopping_ = false;

  std::mutex mutex_;
  std::condition_variable ended_;
  int threads_ = 0;             // that have not ended
  std::exception_ptr failure_;  // of the pipeline itself, not of a frame
};

}  // namespace specex_cli
