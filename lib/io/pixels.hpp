// SPDX-License-Identifier: BSD-3-Clause
//
// Pixels as they lie in a FITS file: big-endian and, here, without BSCALE and BZERO.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <type_traits>

namespace specex::io {

template <class Word>
Word big_endian(Word word) {
  static_assert(sizeof(Word) == 4 || sizeof(Word) == 8);
  if constexpr (std::endian::native == std::endian::big) return word;
  if constexpr (sizeof(Word) == 4) return __builtin_bswap32(word);
  if constexpr (sizeof(Word) == 8) return __builtin_bswap64(word);
}

template <class Stored>
using WordOf = std::conditional_t<sizeof(Stored) == 4, uint32_t, uint64_t>;

template <class Stored, class T>
void decode(const uint8_t *bytes, size_t count, T *pixels) {
  for (size_t i = 0; i < count; ++i) {
    WordOf<Stored> word{};
    std::memcpy(&word, bytes + i * sizeof word, sizeof word);
    pixels[i] = static_cast<T>(std::bit_cast<Stored>(big_endian(word)));
  }
}

template <class Stored, class T>
void encode(const T *pixels, size_t count, uint8_t *bytes) {
  for (size_t i = 0; i < count; ++i) {
    const auto word =
        big_endian(std::bit_cast<WordOf<Stored>>(static_cast<Stored>(pixels[i])));
    std::memcpy(bytes + i * sizeof word, &word, sizeof word);
  }
}

}  // namespace specex::io
