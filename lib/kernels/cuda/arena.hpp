// SPDX-License-Identifier: BSD-3-Clause
//
// Memory of a device: a buffer that lives as long as its owner and grows, and the arrays
// that a step of the work lays out in one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace specex::gpu {

template <class Device>
class Buffer {
 public:
  explicit Buffer(Device &device) : device_(device) {}
  ~Buffer() { device_.release(data_); }
  Buffer(const Buffer &) = delete;
  Buffer &operator=(const Buffer &) = delete;

  // At least so many bytes; what was there before is lost where it has to grow.
  void *reserve(size_t bytes) {
    if (bytes > size_) {
      device_.release(std::exchange(data_, nullptr));
      size_ = 0;
      data_ = device_.allocate(bytes);
      size_ = bytes;
    }
    return data_;
  }
  size_t size() const { return size_; }

 private:
  Device &device_;
  void *data_ = nullptr;
  size_t size_ = 0;
};

// Arrays one after the other: first their sizes are added up, then place() sets all of
// the pointers.
class Layout {
 public:
  template <class T>
  void add(T *&pointer, int64_t count) {
    constexpr size_t alignment = 256;
    const size_t offset = (size_ + alignment - 1) / alignment * alignment;
    size_ = offset + static_cast<size_t>(count) * sizeof(T);
    pointers_.emplace_back([&pointer, offset](char *base) {
      pointer = reinterpret_cast<T *>(base + offset);
    });
  }
  size_t size() const { return size_; }
  void place(void *base) const {
    for (const auto &set : pointers_) set(static_cast<char *>(base));
  }

 private:
  size_t size_ = 0;
  std::vector<std::function<void(char *)>> pointers_;
};

template <class Device, class T>
void upload_all(Device &device, T *to, const std::vector<T> &from) {
  device.upload(to, from.data(), from.size() * sizeof(T));
}

template <class Device, class T>
void download_all(Device &device, std::vector<T> &to, const T *from) {
  device.download(to.data(), from, to.size() * sizeof(T));
}

}  // namespace specex::gpu
