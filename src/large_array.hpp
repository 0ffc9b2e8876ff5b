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

// In huge pages where Linux has them: in pages of 4 KiB, having each of them mapped takes
// longer than filling it.
template <class T>
LargeArray<T> make_large_array(size_t count) {
  constexpr uintptr_t page = uintptr_t{1} << 12;
  void *memory = std::malloc(count * sizeof(T));
  if (memory == nullptr && count > 0) throw std::bad_alloc();
  const auto begin = (reinterpret_cast<uintptr_t>(memory) + page - 1) / page * page;
  const auto end = reinterpret_cast<uintptr_t>(memory) + count * sizeof(T);
#ifdef MADV_HUGEPAGE
  if (begin < end) ::madvise(reinterpret_cast<void *>(begin), end - begin, MADV_HUGEPAGE);
#endif
  return LargeArray<T>(static_cast<T *>(memory));
}

}  // namespace specex_cli
