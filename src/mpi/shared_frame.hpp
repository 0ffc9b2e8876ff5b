// SPDX-License-Identifier: BSD-3-Clause
//
// A frame that several processes extract together: its image, its arrays, and how far it
// is, in memory that all of them have. Whoever is free takes the next share, which is
// some whole bundles: these know nothing of each other, so that bits do not depend on who
// does what.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>

#include "session.hpp"

namespace specex_cli {

class SharedFrame {
 public:
  // Bytes of memory that it takes.
  static size_t bytes(const specex_image &image, const specex_frame &frame);
  // The one that is in this memory, or is going to be.
  explicit SharedFrame(std::byte *memory) : memory_(memory) {}

  // By one process, when no other uses the memory. Shares are small enough for that many
  // processes to end at about the same time.
  void begin(size_t job, const specex_image &image, const specex_grid &grid,
             const specex_frame &frame, int bundlesize, int processes);

  // By each process, once, then: does some of the work, and is done with the memory.
  // work: extracts shares with the context that fits. What it throws fails the frame.
  void take_part(const std::function<void()> &work);
  size_t job() const;
  void extract_shares(const Context &context);

  // How many processes are done with it; then one of them puts the frame together.
  int done() const;
  void collect(const Context &context, specex_frame &frame) const;

 private:
  struct Board;
  Board &board() const;
  void extract(const Context &context, int first_fiber, int nspec);
  void fail(const Failure &failure);

  std::byte *memory_;
};

}  // namespace specex_cli
