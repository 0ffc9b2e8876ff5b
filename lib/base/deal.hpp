// SPDX-License-Identifier: BSD-3-Clause
//
// Deals pieces of work to threads that live for this alone: unlike those of OpenMP they
// survive in a forked process, and where one is refused there are fewer.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <system_error>
#include <thread>
#include <vector>

#include "base/error.hpp"

namespace specex {

// Calls body(0) ... body(count - 1), on up to `threads` threads, the caller's included.
// Throws what a body threw first.
template <class Body>
void deal(int threads, size_t count, const Body &body) {
  FirstError failure;
  std::atomic<size_t> next{0};
  const auto work = [&] {
    try {
      for (size_t i = next++; i < count; i = next++) body(i);
    } catch (...) {
      failure.keep_current();
    }
  };
  const size_t wanted = std::min(count, static_cast<size_t>(std::max(threads, 1)));
  {
    std::vector<std::jthread> helpers;
    try {
      while (helpers.size() + 1 < wanted) helpers.emplace_back(work);
    } catch (const std::system_error &) {
      // Fewer threads than wished for.
    }
    work();
  }
  failure.throw_if_any();
}

// As deal, but body(begin, end) gets parts of [0, count) of `size` each, the last of
// less.
template <class Body>
void deal_parts(int threads, size_t count, size_t size, const Body &body) {
  deal(threads, (count + size - 1) / size,
       [&](size_t i) { body(i * size, std::min(count, (i + 1) * size)); });
}

}  // namespace specex
