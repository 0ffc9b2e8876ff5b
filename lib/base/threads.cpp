// SPDX-License-Identifier: BSD-3-Clause
#include "base/threads.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <exception>
#include <latch>
#include <thread>
#include <vector>

namespace specex {
namespace {

std::atomic<pid_t> parallel_process{0};  // the first that entered a parallel region

}  // namespace

int wanted_threads(int requested) {
  if (requested > 0) return requested;
  if (const char *text = std::getenv("OMP_NUM_THREADS")) {
    const int value = std::atoi(text);
    if (value > 0) return std::min(value, 4096);
  }
  cpu_set_t cores;
  CPU_ZERO(&cores);
  if (sched_getaffinity(0, sizeof cores, &cores) == 0)
    return std::max(1, CPU_COUNT(&cores));
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

void note_parallel_region() {
  pid_t none = 0;
  parallel_process.compare_exchange_strong(none, getpid());
}

int probe_threads(int wanted) {
  const pid_t process = parallel_process;
  if (process != 0 && process != getpid()) return 1;
  std::vector<std::thread> threads;
  threads.reserve(static_cast<size_t>(wanted));
  std::latch release(1);
  try {
    while (static_cast<int>(threads.size()) + 1 < wanted)
      threads.emplace_back([&] { release.wait(); });
  } catch (const std::exception &) {
    // Fewer threads than wished for, or no memory for more: the work is dealt to those
    // there are.
  }
  release.count_down();
  for (std::thread &thread : threads) thread.join();
  return static_cast<int>(threads.size()) + 1;
}

}  // namespace specex
