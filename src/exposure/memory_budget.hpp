// SPDX-License-Identifier: BSD-3-Clause
//
// Memory for the frames that are on their way: known before a frame is read, taken then,
// and given back once it is written.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <utility>

#include "extraction.hpp"
#include "frame_output.hpp"

namespace specex_cli {

class MemoryBudget {
 public:
  explicit MemoryBudget(int64_t bytes) : bytes_(bytes) {}

  // A part of the budget, given back at the end of its life.
  class Share {
   public:
    Share() = default;
    Share(Share &&other) noexcept
        : budget_(std::exchange(other.budget_, nullptr)), bytes_(other.bytes_) {}
    Share &operator=(Share &&) = delete;
    ~Share() {
      if (budget_) budget_->give_back(bytes_);
    }

   private:
    friend class MemoryBudget;
    Share(MemoryBudget &budget, int64_t bytes) : budget_(&budget), bytes_(bytes) {}
    MemoryBudget *budget_ = nullptr;
    int64_t bytes_ = 0;
  };

  // Waits until there is as much; more than there ever is comes when all has been given
  // back. Once stopped, nobody waits.
  Share take(int64_t bytes);
  void stop();

 private:
  void give_back(int64_t bytes);

  const int64_t bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int64_t taken_ = 0;
  bool stopped_ = false;
};

// Bytes that a frame needs at most, from the beginning of its reading to the end of its
// writing; what its extraction needs besides is memory_of_program's.
int64_t memory_of_frame(const ExtractionSettings &settings, const FrameOutput &output,
                        const specex_psf_info &psf);

// Bytes that the program needs besides the frames.
int64_t memory_of_program(int threads);

// Bytes that this process may still have: of the machine, of its control group and of its
// batch job.
int64_t available_memory();

}  // namespace specex_cli
