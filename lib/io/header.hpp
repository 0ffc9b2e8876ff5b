// SPDX-License-Identifier: BSD-3-Clause
//
// The cards of one FITS header, as they are in the file (FITS standard 4.0, section 4).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace specex::io {

inline constexpr size_t card_size = 80;
inline constexpr size_t block_size = 2880;

// Headers and data are filled up to whole blocks.
constexpr size_t filled_up(size_t size) {
  return (size + block_size - 1) / block_size * block_size;
}

class Header {
 public:
  Header() = default;
  explicit Header(std::vector<std::string> cards) : cards_(std::move(cards)) {}

  // Without END.
  const std::vector<std::string> &cards() const { return cards_; }

  // Values of the first card of that name; empty if there is none, or none of that kind.
  std::optional<std::string> text(std::string_view name) const;  // of any kind, unquoted
  std::optional<int64_t> integer(std::string_view name) const;   // also of '3'
  std::optional<double> real(std::string_view name) const;       // finite
  bool is_true(std::string_view name) const { return text(name) == "T"; }
  size_t count(std::string_view name) const;

 private:
  std::vector<std::string> cards_;
};

// The first eight characters, trailing blanks removed.
std::string_view card_name(std::string_view card);
// "NAXIS" and 2 give "NAXIS2".
std::string indexed(const char *name, int64_t number);
std::string_view trim(std::string_view text);

// Strict conversions, independent of the locale: the whole text must be a number.
std::optional<int64_t> parse_integer(std::string_view text);
std::optional<double> parse_real(std::string_view text);

// A card whose value is a number, written as given.
std::string number_card(std::string_view name, std::string_view value,
                        std::string_view comment);

}  // namespace specex::io
