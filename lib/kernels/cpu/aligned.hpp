// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <cstdlib>
#include <memory>
#include <new>

#include "base/huge_pages.hpp"

namespace specex {

// Memory that keeps its size from piece to piece and from call to call, aligned for
// vectors, and in huge pages where it is large: what is walked through by fibre and by
// wavelength touches too many small ones.
template <class T>
class Aligned {
 public:
  // Contents are lost.
  T *resize(size_t count) {
    if (count > capacity_) {
      memory_.reset();  // the old before the new
      capacity_ = 0;
      constexpr size_t small = 64;
      constexpr size_t huge = size_t{1} << 21;
      const size_t alignment = count * sizeof(T) < huge ? small : huge;
      const size_t size = (count * sizeof(T) + alignment - 1) / alignment * alignment;
      // Of zeros, which calloc need not write where the kernel just has.
      void *whole = std::calloc(1, size + alignment);
      if (whole == nullptr) throw std::bad_alloc();
      void *first = whole;
      size_t space = size + alignment;
      memory_ = {static_cast<T *>(std::align(alignment, size, first, space)),
                 Free{whole}};
      ask_for_huge_pages(memory_.get(), size);
      capacity_ = count;
    }
    return memory_.get();
  }
  size_t capacity() const { return capacity_; }
  T *data() { return memory_.get(); }
  const T *data() const { return memory_.get(); }

 private:
  struct Free {
    void *whole;
    void operator()(T *) const { std::free(whole); }
  };
  std::unique_ptr<T, Free> memory_{nullptr, Free{nullptr}};
  size_t capacity_ = 0;
};

}  // namespace specex
