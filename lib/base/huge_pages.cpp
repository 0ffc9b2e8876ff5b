// SPDX-License-Identifier: BSD-3-Clause
#include "base/huge_pages.hpp"

#include <sys/mman.h>

#include <memory>

namespace specex {

void ask_for_huge_pages(void *memory, size_t size) noexcept {
#ifdef MADV_HUGEPAGE
  constexpr size_t page = size_t{1} << 12;
  constexpr size_t worthwhile = size_t{4} << 20;
  if (size < worthwhile || std::align(page, page, memory, size) == nullptr) return;
  static_cast<void>(madvise(memory, size / page * page, MADV_HUGEPAGE));
#endif
}

}  // namespace specex
