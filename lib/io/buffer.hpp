// SPDX-License-Identifier: BSD-3-Clause
//
// Bytes of a file in memory. Unlike std::vector it is not cleared when it grows, and it
// takes over what CFITSIO grew with realloc.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "base/huge_pages.hpp"

namespace specex::io {

class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(size_t size) { resize(size); }
  // Takes over memory that came from malloc.
  Buffer(void *data, size_t size) : data_(static_cast<uint8_t *>(data)), size_(size) {}

  uint8_t *data() { return data_.get(); }
  const uint8_t *data() const { return data_.get(); }
  size_t size() const { return size_; }

  template <class T>
  T *as() {
    return reinterpret_cast<T *>(data());
  }
  template <class T>
  const T *as() const {
    return reinterpret_cast<const T *>(data());
  }

  // Keeps what is there; what is new is not set.
  void resize(size_t size) {
    void *moved = std::realloc(data_.get(), std::max<size_t>(size, 1));
    if (moved == nullptr) throw std::bad_alloc();
    static_cast<void>(data_.release());
    data_.reset(static_cast<uint8_t *>(moved));
    size_ = size;
    ask_for_huge_pages(moved, size);
  }

  Buffer clone() const {
    Buffer copy(size_);
    if (size_ > 0) std::memcpy(copy.data(), data(), size_);
    return copy;
  }

 private:
  struct Free {
    void operator()(uint8_t *data) const { std::free(data); }
  };
  std::unique_ptr<uint8_t, Free> data_;
  size_t size_ = 0;
};

}  // namespace specex::io
