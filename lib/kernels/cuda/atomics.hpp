// SPDX-License-Identifier: BSD-3-Clause
//
// What many threads may write at once. Only operations whose result does not depend on
// the order of the threads, so that results are the same in every run.
#pragma once

#include <cstdint>

#include "base/host_device.hpp"

namespace specex::gpu {

// Most threads find that there is nothing to do, and are spared the queue.
SPECEX_HOST_DEVICE inline void raise_to(int *number, int value) {
#ifdef __CUDA_ARCH__
  if (value > *number) atomicMax(number, value);
#else
  if (value > *number) *number = value;
#endif
}

SPECEX_HOST_DEVICE inline void lower_to(int *number, int value) {
#ifdef __CUDA_ARCH__
  if (value < *number) atomicMin(number, value);
#else
  if (value < *number) *number = value;
#endif
}

SPECEX_HOST_DEVICE inline void set_bits(uint32_t *bits, uint32_t value) {
#ifdef __CUDA_ARCH__
  atomicOr(bits, value);
#else
  *bits |= value;
#endif
}

SPECEX_HOST_DEVICE inline void count_up(unsigned long long *count) {
#ifdef __CUDA_ARCH__
  atomicAdd(count, 1ULL);
#else
  ++*count;
#endif
}

}  // namespace specex::gpu
