// SPDX-License-Identifier: BSD-3-Clause
#include "io/gzip.hpp"

#include <libdeflate.h>

#include "base/error.hpp"
#include "io/expansion.hpp"
#include "io/file_name.hpp"

namespace specex::io {
namespace {

// The level that pays for noisy floats: higher ones take longer and gain a percent.
constexpr int compression_level = 4;

using Decompressor =
    std::unique_ptr<libdeflate_decompressor, decltype(&libdeflate_free_decompressor)>;
using Compressor =
    std::unique_ptr<libdeflate_compressor, decltype(&libdeflate_free_compressor)>;

// The last four bytes of a member hold its size modulo 2^32: right for most files.
size_t announced_size(const Buffer &compressed) {
  const uint8_t *tail = compressed.data() + compressed.size() - 4;
  return size_t{tail[0]} | size_t{tail[1]} << 8 | size_t{tail[2]} << 16 |
         size_t{tail[3]} << 24;
}

}  // namespace

bool is_gzip(const Buffer &bytes) {
  return bytes.size() >= smallest_gzip && bytes.data()[0] == 0x1f &&
         bytes.data()[1] == 0x8b;
}

Buffer gunzip(const Buffer &compressed, std::string_view name) {
  const Decompressor decompressor(libdeflate_alloc_decompressor(),
                                  libdeflate_free_decompressor);
  if (!decompressor) throw std::bad_alloc();
  const size_t limit = largest_expansion(compressed.size());
  Buffer bytes(std::min(announced_size(compressed) + 1, limit));
  size_t used = 0;
  for (size_t begin = 0; begin < compressed.size();) {
    size_t consumed = 0;
    size_t produced = 0;
    const libdeflate_result result = libdeflate_gzip_decompress_ex(
        decompressor.get(), compressed.data() + begin, compressed.size() - begin,
        bytes.data() + used, bytes.size() - used, &consumed, &produced);
    if (result == LIBDEFLATE_INSUFFICIENT_SPACE) {
      if (bytes.size() >= limit)
        fail(SPECEX_ERROR_LIMIT,
             "%s expands to more than %zu bytes; decompress it by hand if you trust it",
             quoted(name).c_str(), limit);
      bytes.resize(std::min(2 * bytes.size(), limit));
    } else if (result != LIBDEFLATE_SUCCESS) {
      fail(SPECEX_ERROR_FORMAT,
           "%s is damaged or truncated: its gzip stream at byte %zu cannot be expanded",
           quoted(name).c_str(), begin);
    } else {
      begin += consumed;
      used += produced;
    }
  }
  bytes.resize(used);
  return bytes;
}

Buffer gzip(const Buffer &bytes) {
  const Compressor compressor(libdeflate_alloc_compressor(compression_level),
                              libdeflate_free_compressor);
  if (!compressor) throw std::bad_alloc();
  Buffer compressed(libdeflate_gzip_compress_bound(compressor.get(), bytes.size()));
  const size_t size = libdeflate_gzip_compress(
      compressor.get(), bytes.data(), bytes.size(), compressed.data(), compressed.size());
  if (size == 0) fail(SPECEX_ERROR_INTERNAL, "libdeflate's bound was too small");
  compressed.resize(size);
  return compressed;
}

}  // namespace specex::io
