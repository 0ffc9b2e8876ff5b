// SPDX-License-Identifier: BSD-3-Clause
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <map>
#include <mutex>
#include <string>

#include "base/error.hpp"
#include "kernels/cuda/device_backend.hpp"
#include "support/emulated_device.hpp"

namespace {

// The device that all contexts share.
struct Hardware {
  std::mutex mutex;
  int64_t calls = 0;
  int64_t fail_at = -1;
  specex_status status = SPECEX_OK;
  int64_t memory = int64_t{1} << 40;
  int64_t in_use = 0;
  std::atomic<bool> lost{false};
};

Hardware &hardware() {
  static Hardware instance;
  return instance;
}

void call(const char *name) {
  Hardware &own = hardware();
  const std::lock_guard lock(own.mutex);
  const int64_t number = own.calls++;
  const bool sticky = own.status == SPECEX_ERROR_DEVICE;
  if (own.fail_at >= 0 && (number == own.fail_at || (sticky && number > own.fail_at)))
    specex::fail(own.status, "the emulated GPU failed, in %s", name);
}

class EmulatedDevice {
 public:
  EmulatedDevice(int number, int64_t limit) : limit_(limit) {
    call("count");
    if (number > 2)
      specex::fail(SPECEX_ERROR_NO_DEVICE,
                   "options.device is %d; this process sees 3 GPUs", number);
    call("create");
  }

  std::string name() const { return "emulated on the processor"; }
  static std::atomic<bool> &lost() { return hardware().lost; }

  struct Scope {};
  Scope use() const {
    call("use");
    return {};
  }

  void *allocate(size_t bytes) {
    call("allocate");
    Hardware &own = hardware();
    const std::lock_guard lock(own.mutex);
    const auto more = static_cast<int64_t>(bytes);
    if (own.in_use + more > own.memory || (limit_ > 0 && taken_ + more > limit_))
      specex::fail(SPECEX_ERROR_MEMORY, "the emulated GPU's memory is used up");
    void *memory = std::malloc(bytes);
    if (memory == nullptr) throw std::bad_alloc();
    std::memset(memory, 0xff, bytes);  // NaN: what is read before it is written
    sizes_[memory] = more;
    taken_ += more;
    own.in_use += more;
    return memory;
  }
  void release(void *memory) noexcept {
    if (memory == nullptr) return;
    Hardware &own = hardware();
    const std::lock_guard lock(own.mutex);
    const auto found = sizes_.find(memory);
    taken_ -= found->second;
    own.in_use -= found->second;
    sizes_.erase(found);
    std::free(memory);
  }
  void upload(void *to, const void *from, size_t bytes) {
    call("upload");
    if (bytes > 0) std::memcpy(to, from, bytes);
  }
  void upload_rows(void *to, const void *from, size_t row_bytes, size_t stride,
                   size_t rows) {
    call("upload_rows");
    for (size_t r = 0; r < rows; ++r)
      std::memcpy(static_cast<char *>(to) + r * row_bytes,
                  static_cast<const char *>(from) + r * stride, row_bytes);
  }
  void download(void *to, const void *from, size_t bytes) {
    call("download");
    if (bytes > 0) std::memcpy(to, from, bytes);
  }
  void clear(void *to, size_t bytes) {
    call("clear");
    if (bytes > 0) std::memset(to, 0, bytes);
  }
  template <class Kernel>
  void run(int64_t count, const Kernel &kernel) {
    call("run");
    for (int64_t i = 0; i < count; ++i) kernel(i);
  }
  void synchronize() { call("synchronize"); }
  void settle() noexcept {}

  void begin(int stage) {
    call("begin");
    const auto now = std::chrono::steady_clock::now();
    seconds_[static_cast<size_t>(stage_)] +=
        std::chrono::duration<double>(now - since_).count();
    since_ = now;
    stage_ = stage;
  }
  void add_times(specex::StageTotals &totals) {
    totals.add(seconds_);
    seconds_ = {};
  }

 private:
  int64_t limit_;
  int64_t taken_ = 0;
  std::map<void *, int64_t> sizes_;
  specex::StageSeconds seconds_{};
  int stage_ = SPECEX_STAGE_FRAME;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

}  // namespace

namespace specex {

bool has_cuda_backend() { return true; }

std::unique_ptr<Backend> make_cuda_backend(const specex_options &options,
                                           int num_threads) {
  return std::make_unique<gpu::DeviceBackend<EmulatedDevice>>(options, num_threads);
}

}  // namespace specex

void specex_emulated_fail_at(int64_t call_number, specex_status status) {
  Hardware &own = hardware();
  const std::lock_guard lock(own.mutex);
  own.calls = 0;
  own.fail_at = call_number;
  own.status = status;
  own.lost = false;
}

int64_t specex_emulated_calls(void) {
  Hardware &own = hardware();
  const std::lock_guard lock(own.mutex);
  return own.calls;
}

void specex_emulated_set_memory(int64_t bytes) {
  Hardware &own = hardware();
  const std::lock_guard lock(own.mutex);
  own.memory = bytes;
}

int64_t specex_emulated_memory_in_use(void) {
  Hardware &own = hardware();
  const std::lock_guard lock(own.mutex);
  return own.in_use;
}
