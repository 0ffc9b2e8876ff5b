// SPDX-License-Identifier: BSD-3-Clause
//
// What docs/gpu.md uses of CUDA's runtime, for the emulated GPU, whose memory is the
// host's.
#pragma once

#include <stdlib.h>
#include <string.h>

typedef int cudaError_t;
enum { cudaSuccess = 0, cudaErrorMemoryAllocation = 2 };
enum { cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2 };

static inline cudaError_t cudaMalloc(void **memory, size_t bytes) {
  *memory = malloc(bytes);
  return *memory ? cudaSuccess : cudaErrorMemoryAllocation;
}

static inline cudaError_t cudaMemcpy(void *to, const void *from, size_t bytes, int kind) {
  (void)kind;
  memcpy(to, from, bytes);
  return cudaSuccess;
}
