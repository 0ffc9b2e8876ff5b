// SPDX-License-Identifier: BSD-3-Clause
#include "base/huge_pages.hpp"

#include <sys/mman.h>

#include <cstdint>

namespace specex {

void ask_for_huge_pages(void *memory, size_t size) noexcept {
#ifdef MADV_HUGEPAGE
  constexpr uintptr_t page = size_t{1} << 12;
  constexpr size_t worthwhile = size_t{4} << 20;
  if (size < worthwhile) return;
  const uintptr_t begin = (reinterpret_cast<uintptr_t>(memory) + page - 1) / page * page;
  const uintptr_t end = (reinterpret_cast<uintptr_t>(memory) + size) / page * page;
  static_cast<void>(madvise(reinterpret_cast<void *>(begin), end - begin, MADV_HUGEPAGE));
#endif
}

}  // namespace specex
