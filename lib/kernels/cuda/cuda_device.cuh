// SPDX-License-Identifier: BSD-3-Clause
//
// A GPU: the only file that calls the CUDA runtime. Every call is checked; a failure is
// an Error, MEMORY where memory was refused and DEVICE otherwise. Work is queued in one
// stream; contexts in several threads have a stream each, so that copies of one frame
// overlap the computation of another.
#pragma once

#include <cuda_runtime.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstring>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/stage_clock.hpp"

#if SPECEX_NVTX
#include <nvtx3/nvToolsExt.h>
#endif

namespace specex::gpu {

template <class Kernel>
__global__ void run_kernel(int64_t count, Kernel kernel) {
  const int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (i < count) kernel(i);
}

class CudaDevice {
 public:
  // limit: bytes that may be taken; 0: as there are
  CudaDevice(int number, int64_t limit) : CudaDevice(Nothing{}, number, limit) {
    // What fails from here on is undone by the destructor.
    int count = 0;
    const cudaError_t error = cudaGetDeviceCount(&count);
    if (error != cudaSuccess || count == 0) {
      cudaGetLastError();
      fail(SPECEX_ERROR_NO_DEVICE, "no GPU can be used: %s",
           error == cudaSuccess ? "there is none" : cudaGetErrorString(error));
    }
    if (number >= count)
      fail(SPECEX_ERROR_NO_DEVICE, "options.device is %d; this process sees %d GPUs",
           number, count);
    const Scope scope(*this);
    cudaDeviceProp properties{};
    check(cudaGetDeviceProperties(&properties, number), "cudaGetDeviceProperties");
    name_ = properties.name;
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
    for (Staging &part : staging_) {
      check(cudaMallocHost(&part.memory, staging_bytes), "cudaMallocHost");
      check(cudaEventCreateWithFlags(&part.done, cudaEventDisableTiming),
            "cudaEventCreate");
    }
  }
  ~CudaDevice() {
    if (stream_ == nullptr) return;
    int before = 0;
    cudaGetDevice(&before);
    cudaSetDevice(number_);
    for (const Mark &mark : marks_) cudaEventDestroy(mark.event);
    for (const cudaEvent_t event : spare_) cudaEventDestroy(event);
    for (const Staging &part : staging_) {
      if (part.done != nullptr) cudaEventDestroy(part.done);
      if (part.memory != nullptr) cudaFreeHost(part.memory);
    }
    cudaStreamDestroy(stream_);
    cudaSetDevice(before);
    cudaGetLastError();
  }
  CudaDevice(const CudaDevice &) = delete;
  CudaDevice &operator=(const CudaDevice &) = delete;

  const std::string &name() const { return name_; }

  // After an error of the device nothing that this process does on it can be trusted.
  static std::atomic<bool> &lost() {
    static std::atomic<bool> instance{false};
    return instance;
  }

  // Makes this device the thread's current one for as long as it lives.
  class Scope {
   public:
    explicit Scope(const CudaDevice &device) {
      cudaGetDevice(&before_);
      check(cudaSetDevice(device.number_), "cudaSetDevice");
    }
    ~Scope() { cudaSetDevice(before_); }
    Scope(const Scope &) = delete;
    Scope &operator=(const Scope &) = delete;

   private:
    int before_ = 0;
  };
  Scope use() const { return Scope(*this); }

  void *allocate(size_t bytes) {
    if (limit_ > 0 && taken_ + static_cast<int64_t>(bytes) > limit_)
      fail(SPECEX_ERROR_MEMORY,
           "%zu bytes more on the GPU are beyond options.device_memory", bytes);
    void *memory = nullptr;
    check(cudaMalloc(&memory, bytes), "cudaMalloc");
    sizes_.emplace_back(memory, bytes);
    taken_ += static_cast<int64_t>(bytes);
    return memory;
  }
  void release(void *memory) noexcept {
    if (memory == nullptr) return;
    for (auto &[own, bytes] : sizes_)
      if (own == memory) {
        taken_ -= static_cast<int64_t>(bytes);
        own = sizes_.back().first;
        bytes = sizes_.back().second;
        sizes_.pop_back();
        break;
      }
    cudaStreamSynchronize(stream_);
    cudaFree(memory);
    cudaGetLastError();
  }

  // What is not pinned goes through memory of our own that is, half of it filled while
  // the other half is on its way. All of `from` has been read on return.
  void upload(void *to, const void *from, size_t bytes) {
    if (is_pinned(from)) {
      check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_),
            "cudaMemcpyAsync");
      return;
    }
    for (size_t at = 0; at < bytes; at += staging_bytes) {
      Staging &part = next_staging();
      const size_t count = std::min(staging_bytes, bytes - at);
      check(cudaEventSynchronize(part.done), "cudaEventSynchronize");
      std::memcpy(part.memory, static_cast<const char *>(from) + at, count);
      check(cudaMemcpyAsync(static_cast<char *>(to) + at, part.memory, count,
                            cudaMemcpyHostToDevice, stream_),
            "cudaMemcpyAsync");
      check(cudaEventRecord(part.done, stream_), "cudaEventRecord");
    }
  }
  void upload_rows(void *to, const void *from, size_t row_bytes, size_t stride,
                   size_t rows) {
    if (stride == row_bytes) {
      upload(to, from, row_bytes * rows);
    } else if (is_pinned(from)) {
      check(cudaMemcpy2DAsync(to, row_bytes, from, stride, row_bytes, rows,
                              cudaMemcpyDefault, stream_),
            "cudaMemcpy2DAsync");
    } else {
      for (size_t r = 0; r < rows; ++r)
        upload(static_cast<char *>(to) + r * row_bytes,
               static_cast<const char *>(from) + r * stride, row_bytes);
    }
  }
  // Complete once synchronize() has returned.
  void download(void *to, const void *from, size_t bytes) {
    if (is_pinned(to)) {
      check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, stream_),
            "cudaMemcpyAsync");
      return;
    }
    size_t waiting = 0;  // bytes in the part before
    for (size_t at = 0; at < bytes || waiting > 0;) {
      const size_t count = std::min(staging_bytes, bytes - at);
      Staging &before = staging_[1 - turn_];
      if (count > 0) {
        Staging &part = next_staging();
        check(cudaMemcpyAsync(part.memory, static_cast<const char *>(from) + at, count,
                              cudaMemcpyDeviceToHost, stream_),
              "cudaMemcpyAsync");
        check(cudaEventRecord(part.done, stream_), "cudaEventRecord");
        if (waiting > 0) take(before, static_cast<char *>(to) + at - waiting, waiting);
      } else {
        take(before, static_cast<char *>(to) + at - waiting, waiting);
      }
      waiting = count;
      at += count;
    }
  }
  void clear(void *to, size_t bytes) {
    check(cudaMemsetAsync(to, 0, bytes, stream_), "cudaMemsetAsync");
  }

  template <class Kernel>
  void run(int64_t count, const Kernel &kernel) {
    constexpr int threads = 128;
    if (count <= 0) return;
    const int64_t blocks = (count + threads - 1) / threads;
    if (blocks > int64_t{0x7fffffff})
      fail(SPECEX_ERROR_MEMORY, "%lld threads are more than a GPU can be given at once",
           static_cast<long long>(count));
    run_kernel<<<static_cast<unsigned>(blocks), threads, 0, stream_>>>(count, kernel);
    check(cudaGetLastError(), "a kernel's launch");
  }
  void synchronize() { check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize"); }
  // Waits for what is on its way, whatever becomes of it.
  void settle() noexcept {
    cudaStreamSynchronize(stream_);
    cudaGetLastError();
  }

  // What is queued from now on belongs to a stage.
  void begin(int stage) {
#if SPECEX_NVTX
    if (in_range_) nvtxRangePop();
    in_range_ = stage != SPECEX_STAGE_FRAME;
    if (in_range_) nvtxRangePushA(stage_name(stage));
#endif
    cudaEvent_t event = nullptr;
    if (spare_.empty()) {
      check(cudaEventCreate(&event), "cudaEventCreate");
    } else {
      event = spare_.back();
      spare_.pop_back();
    }
    marks_.push_back({stage, event});
    check(cudaEventRecord(event, stream_), "cudaEventRecord");
  }
  // Adds the device's time in each stage, once it has been waited for.
  void add_times(StageTotals &totals) {
    StageSeconds seconds{};
    for (size_t k = 0; k + 1 < marks_.size(); ++k) {
      float milliseconds = 0.0F;
      check(cudaEventElapsedTime(&milliseconds, marks_[k].event, marks_[k + 1].event),
            "cudaEventElapsedTime");
      seconds[static_cast<size_t>(marks_[k].stage)] += 1e-3 * double{milliseconds};
    }
    for (const Mark &mark : marks_) spare_.push_back(mark.event);
    marks_.clear();
    totals.add(seconds);
  }

 private:
  struct Nothing {};
  CudaDevice(Nothing, int number, int64_t limit) : number_(number), limit_(limit) {}

  static constexpr size_t staging_bytes = size_t{8} << 20;
  struct Staging {
    void *memory = nullptr;
    cudaEvent_t done = nullptr;
  };
  struct Mark {
    int stage;
    cudaEvent_t event;
  };

  static void check(cudaError_t error, const char *call) {
    if (error == cudaSuccess) return;
    cudaGetLastError();  // forgets it, where it can be forgotten
    if (error == cudaErrorMemoryAllocation)
      fail(SPECEX_ERROR_MEMORY, "the GPU's memory is used up (%s)", call);
    fail(SPECEX_ERROR_DEVICE, "the GPU failed: %s, in %s", cudaGetErrorString(error),
         call);
  }

  static bool is_pinned(const void *memory) {
    cudaPointerAttributes attributes{};
    check(cudaPointerGetAttributes(&attributes, memory), "cudaPointerGetAttributes");
    return attributes.type != cudaMemoryTypeUnregistered;
  }

  Staging &next_staging() {
    turn_ = 1 - turn_;
    return staging_[turn_];
  }
  static void take(const Staging &part, char *to, size_t bytes) {
    check(cudaEventSynchronize(part.done), "cudaEventSynchronize");
    std::memcpy(to, part.memory, bytes);
  }

  int number_;
  int64_t limit_;
  int64_t taken_ = 0;
  std::string name_;
  cudaStream_t stream_ = nullptr;
  std::vector<std::pair<void *, size_t>> sizes_;
  std::array<Staging, 2> staging_{};
  size_t turn_ = 0;
  std::vector<Mark> marks_;
  std::vector<cudaEvent_t> spare_;
  bool in_range_ = false;
};

}  // namespace specex::gpu
