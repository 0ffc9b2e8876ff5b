// SPDX-License-Identifier: BSD-3-Clause
//
// Structs of the C API carry their size first, so that a program built against another
// release can be served: fields that the caller lacks read as zero, fields that the
// library lacks must be zero.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/error.hpp"

namespace specex {

// Sizes of the first release; a struct smaller than that was never valid.
template <class T>
inline constexpr int64_t first_release_size = sizeof(T);

// A struct larger than this is not one of ours but an uninitialised size.
inline constexpr int64_t max_struct_size = 1 << 16;

template <class T>
void check_struct_size(const T *given, const char *name) {
  if (given == nullptr) fail(SPECEX_ERROR_ARGUMENT, "%s is NULL", name);
  int64_t size = 0;
  std::memcpy(&size, given, sizeof size);
  if (size < first_release_size<T> || size > max_struct_size)
    fail(SPECEX_ERROR_VERSION, "%s.struct_size is %lld; set it to sizeof(%s)", name,
         static_cast<long long>(size), name);
  const auto *bytes = reinterpret_cast<const unsigned char *>(given);
  if (std::any_of(bytes + sizeof(T), bytes + std::max<int64_t>(size, sizeof(T)),
                  [](unsigned char byte) { return byte != 0; }))
    fail(SPECEX_ERROR_VERSION, "%s sets fields that this version of libspecex (%s) lacks",
         name, specex_version());
}

// A private copy of a caller's struct, of this library's size.
template <class T>
T copy_struct(const T *given, const char *name) {
  check_struct_size(given, name);
  T copy{};
  std::memcpy(&copy, given,
              std::min<size_t>(sizeof(T), static_cast<size_t>(given->struct_size)));
  copy.struct_size = sizeof(T);
  return copy;
}

}  // namespace specex
