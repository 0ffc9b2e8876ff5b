// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <sys/mman.h>

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace specex_cli {

struct FreeMemory {
  void operator()(void *memory) const { std::free(memory); }
};

// Of numbers, which are not set.
template <class T>
using LargeArray = std::unique_ptr<T[], FreeMemory>;

// What is large is in huge pages where Linux has them: in pages of 4 KiB, having each of
// them mapped takes longer than filling it.
template <class T>
LargeArray<T> make_large_array(size_t count) {
  constexpr size_t large = size_t{4} << 20;  // bytes
  constexpr uintptr_t page = uintptr_t{1} << 12;
  const size_t size = count * sizeof(T);
  void *memory = std::malloc(size);
  if (memory == nullptr && count > 0) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
  const size_t skipped = (page - reinterpret_cast<uintptr_t>(memory) % page) % page;
  if (size >= large)
    ::madvise(static_cast<char *>(memory) + skipped, size - skipped, MADV_HUGEPAGE);
#endif
  return LargeArray<T>(static_cast<T *>(memory));
}

}  // namespace specex_cli
