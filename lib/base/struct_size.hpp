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
#include <type_traits>
#include <vector>

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

// Whether a size may be that of some release's struct, or nobody can have set it.
template <class T>
constexpr bool could_be_size(int64_t size) {
  constexpr int64_t growth = 512;
  return size >= first_release_size<T> &&
         size <= static_cast<int64_t>(sizeof(T)) + growth &&
         size % static_cast<int64_t>(alignof(T)) == 0;
}

// A private copy of a caller's struct, of this library's size.
template <class T>
std::remove_const_t<T> copy_struct(T *given, const char *name) {
  check_struct_size(given, name);
  std::remove_const_t<T> copy{};
  std::memcpy(&copy, given,
              std::min<size_t>(sizeof(T), static_cast<size_t>(given->struct_size)));
  copy.struct_size = sizeof(T);
  return copy;
}

// Copies the library's fields back into a caller's struct. What it has beyond stays.
template <class T>
void return_struct(const T &own, T *given) {
  const int64_t size = given->struct_size;
  std::memcpy(given, &own, std::min<size_t>(sizeof(T), static_cast<size_t>(size)));
  given->struct_size = size;
}

// A caller's array of structs, which lie as far apart as the first one says it is long.
template <class T>
class StructArray {
 public:
  StructArray(T *given, const char *name) : given_(given), name_(name) {
    check_struct_size(given, name);
    stride_ = given->struct_size;
  }

  T *at(int64_t k) const {
    if (k > 0 && stride_ % static_cast<int64_t>(alignof(T)) != 0)
      fail(SPECEX_ERROR_VERSION,
           "%s.struct_size is %lld, which no struct in an array has", name_,
           static_cast<long long>(stride_));
    using Byte = std::conditional_t<std::is_const_v<T>, const std::byte, std::byte>;
    return reinterpret_cast<T *>(reinterpret_cast<Byte *>(given_) + k * stride_);
  }

  std::vector<std::remove_const_t<T>> copy(int64_t n) const {
    std::vector<std::remove_const_t<T>> own;
    for (int64_t k = 0; k < n; ++k) {
      own.push_back(copy_struct(at(k), name_));
      if (at(k)->struct_size != stride_)
        fail(SPECEX_ERROR_VERSION,
             "%s.struct_size is %lld in an array that begins with %lld", name_,
             static_cast<long long>(at(k)->struct_size), static_cast<long long>(stride_));
    }
    return own;
  }

  // An element of which only the first need have been set.
  void set(int64_t k, const T &own) const {
    std::memset(static_cast<void *>(at(k)), 0, static_cast<size_t>(stride_));
    at(k)->struct_size = stride_;
    return_struct(own, at(k));
  }

 private:
  T *given_;
  const char *name_;
  int64_t stride_ = 0;
};

}  // namespace specex
