// SPDX-License-Identifier: BSD-3-Clause
//
// Checks the structure of a FITS file (FITS standard 4.0) against stated limits, from its
// bytes alone, before CFITSIO sees them: CFITSIO crashes on some malformed headers.
#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "io/buffer.hpp"
#include "io/header.hpp"

namespace specex::io {

enum class HduKind { image, compressed_image, table, other };

struct Hdu {
  int number = 0;    // 0 is the first
  std::string name;  // EXTNAME in capitals, or ""
  HduKind kind = HduKind::other;
  int bitpix = 0;              // of the image, uncompressed
  std::vector<int64_t> shape;  // of the image, uncompressed, slowest axis first
  int64_t nrow = 0;            // of a table
  size_t header_begin = 0;     // bytes from the start of the file
  size_t data_begin = 0;
  size_t end = 0;
  Header header;

  bool has_pixels() const {
    return !shape.empty() && std::find(shape.begin(), shape.end(), 0) == shape.end();
  }
  std::string label() const;  // "HDU 2 (IVAR)"
};

namespace limits {
inline constexpr int64_t axes = 3;                       // of an image
inline constexpr int64_t pixels = int64_t{1} << 30;      // of an image
inline constexpr int64_t columns = 999;                  // of a table, as in the standard
inline constexpr size_t hdus = 256;                      // in a file
inline constexpr size_t header_bytes = size_t{4} << 20;  // of one HDU
}  // namespace limits

// `file` is for messages. Bytes are asked for by `fetch(begin, end)` before they are
// looked at, which leaves out those of images. Errors: FORMAT (with the byte at which the
// file goes wrong, or the keyword), LIMIT, UNSUPPORTED (a compression that is not
// trusted).
using Fetch = std::function<void(size_t begin, size_t end)>;
std::vector<Hdu> check_fits(
    const Buffer &bytes, std::string_view file,
    const Fetch &fetch = [](size_t, size_t) {});

}  // namespace specex::io
