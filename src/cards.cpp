// SPDX-License-Identifier: BSD-3-Clause
#include "cards.hpp"

#include <charconv>

namespace specex_cli {

void Cards::add(const char *name, const std::string &value, const char *comment) {
  add(name, value, comment, SPECEX_CARD_TEXT);
}

void Cards::add(const char *name, int64_t value, const char *comment) {
  add(name, std::to_string(value), comment, SPECEX_CARD_INTEGER);
}

void Cards::add(const char *name, double value, const char *comment) {
  char digits[32];  // the fewest that give the same number back
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  std::string text(digits, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  add(name, text, comment, SPECEX_CARD_REAL);
}

void Cards::add(const char *name, bool value, const char *comment) {
  add(name, value ? "T" : "F", comment, SPECEX_CARD_LOGICAL);
}

void Cards::add(const char *name, const std::string &value, const char *comment,
                int32_t type) {
  const std::string &kept_name = texts_.emplace_back(name);
  const std::string &kept_value = texts_.emplace_back(value);
  cards_.push_back({kept_name.c_str(), kept_value.c_str(), comment, type, 0});
}

}  // namespace specex_cli
