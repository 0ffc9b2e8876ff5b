// SPDX-License-Identifier: BSD-3-Clause
//
// Work space for OpenBLAS. Its own allocator hands one buffer to two threads when it was
// built serial and without locks, as Debian's is, and spins for ever when memory is
// short. The linker takes these two functions instead (--wrap, see
// cmake/FindPrivateBlas): every thread keeps buffers of its own, and a refused one is an
// exception.
#include <sys/mman.h>

#include <array>
#include <cstddef>
#include <new>

namespace specex {
namespace {

// OpenBLAS addresses its work space as it was compiled to, up to BUFFER_SIZE, 128 MiB in
// common_*.h, plus a page. Only what is touched takes memory.
constexpr size_t buffer_size = (size_t{128} << 20) + 65536;

class ThreadBuffers {
 public:
  ThreadBuffers() = default;
  ThreadBuffers(const ThreadBuffers &) = delete;
  ThreadBuffers &operator=(const ThreadBuffers &) = delete;
  ~ThreadBuffers() {
    for (const Buffer &buffer : buffers_)
      if (buffer.memory != nullptr) munmap(buffer.memory, buffer_size);
  }

  void *lend() {
    for (Buffer &buffer : buffers_) {
      if (buffer.lent) continue;
      if (buffer.memory == nullptr) {
        void *memory = mmap(nullptr, buffer_size, PROT_READ | PROT_WRITE,
                            MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED) throw std::bad_alloc();
        buffer.memory = memory;
      }
      buffer.lent = true;
      return buffer.memory;
    }
    throw std::bad_alloc();
  }

  void take_back(const void *memory) {
    for (Buffer &buffer : buffers_)
      if (buffer.memory == memory) buffer.lent = false;
  }

 private:
  struct Buffer {
    void *memory = nullptr;
    bool lent = false;
  };
  std::array<Buffer, 4> buffers_;  // BLAS routines that call others nest two deep at most
};

thread_local ThreadBuffers thread_buffers;

}  // namespace

extern "C" {
void *lend_blas_buffer(int) asm("__wrap_blas_memory_alloc");
void return_blas_buffer(void *) asm("__wrap_blas_memory_free");

void *lend_blas_buffer(int) { return thread_buffers.lend(); }
void return_blas_buffer(void *memory) { thread_buffers.take_back(memory); }
}

}  // namespace specex
