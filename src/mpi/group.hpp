// SPDX-License-Identifier: BSD-3-Clause
//
// Ranks of one machine that extract a frame together. The first of them, the leader, has
// a pipeline; the others, the members, help with every frame that it extracts. The image
// and the results are in memory that MPI shares between them. All MPI is done by the
// threads that main runs in.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "exposure/frame_job.hpp"
#include "mpi/shared_frame.hpp"

namespace specex_cli {

class Group {
 public:
  // Made by all ranks at the same time: of those of a machine, `size` in turn are a
  // group.
  explicit Group(int size);
  ~Group();
  Group(const Group &) = delete;
  Group &operator=(const Group &) = delete;

  bool leads() const { return rank_ == 0; }
  int size() const { return size_; }

  // By the leader: extracts a frame, with all. Called by one thread of the pipeline,
  // which waits until the main thread attends.
  void extract(size_t job, const Context &context, Extraction &extraction);
  void attend();
  // No more frames will come.
  void end(int64_t exit_code);

  // By a member: helps until the leader ends, and returns what it says. rest: called
  // while there is nothing to do.
  int help(const std::vector<FrameJob> &jobs, int threads,
           const std::function<void()> &rest);

 private:
  void have_memory(int64_t bytes);
  void free_memory();

  struct Handles;  // of MPI
  const std::unique_ptr<Handles> mpi_;
  int rank_ = 0;
  int size_ = 1;
  std::byte *memory_ = nullptr;
  int64_t bytes_ = 0;

  // What the pipeline's thread has for the main thread: a frame that needs some memory.
  struct Task {
    int64_t bytes;
    std::function<void(SharedFrame)> begin;
  };
  std::mutex mutex_;
  std::condition_variable begun_;
  std::optional<Task> task_;
};

}  // namespace specex_cli
