// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstddef>

namespace specex {

// Memory that is about to be filled: in pages of 4 KiB, having each of them mapped takes
// longer than filling it. Of no effect where it is small, or Linux has no huge pages.
void ask_for_huge_pages(void *memory, size_t size) noexcept;

}  // namespace specex
