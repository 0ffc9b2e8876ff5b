// SPDX-License-Identifier: BSD-3-Clause
#include "io/header.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

namespace specex::io {
namespace {

constexpr size_t value_column = 10;  // after "NAME    = "

bool has_value(std::string_view card) {
  return card.size() > value_column && card.substr(8, 2) == "= ";
}

// The characters of a quoted string, '' standing for one quote.
std::string unquote(std::string_view field) {
  std::string text;
  for (size_t i = 1; i < field.size(); ++i) {
    if (field[i] == '\'' && (i + 1 == field.size() || field[++i] != '\'')) break;
    text += field[i];
  }
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

std::string value_of(std::string_view card) {
  const std::string_view field = trim(card.substr(value_column));
  if (field.starts_with('\'')) return unquote(field);
  return std::string(trim(field.substr(0, field.find('/'))));
}

}  // namespace

std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(' ') - first + 1);
}

std::string_view card_name(std::string_view card) {
  const std::string_view name = card.substr(0, 8);
  return name.substr(0, name.find_last_not_of(' ') + 1);
}

std::string indexed(const char *name, int64_t number) {
  return name + std::to_string(number);
}

std::optional<int64_t> parse_integer(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return {};
  return value;
}

std::optional<double> parse_real(std::string_view text) {
  std::string digits(text);
  std::replace(digits.begin(), digits.end(), 'D', 'E');  // Fortran's double exponent
  const char *first = digits.data() + (digits.starts_with('+') ? 1 : 0);
  const char *last = digits.data() + digits.size();
  double value = 0;
  const auto [end, error] = std::from_chars(first, last, value);
  if (error != std::errc() || end != last || !std::isfinite(value)) return {};
  return value;
}

std::optional<std::string> Header::text(std::string_view name) const {
  for (size_t i = 0; i < cards_.size(); ++i) {
    if (card_name(cards_[i]) != name || !has_value(cards_[i])) continue;
    std::string value = value_of(cards_[i]);
    // A long string goes on in CONTINUE cards while it ends with an ampersand.
    while (value.ends_with('&') && ++i < cards_.size() &&
           card_name(cards_[i]) == "CONTINUE") {
      value.pop_back();
      value += value_of(cards_[i]);
    }
    // PSF files of specex quote their texts twice.
    if (value.size() >= 2 && value.front() == '\'' && value.back() == '\'')
      value = trim(std::string_view(value).substr(1, value.size() - 2));
    return value;
  }
  return {};
}

std::optional<int64_t> Header::integer(std::string_view name) const {
  const auto value = text(name);
  return value ? parse_integer(trim(*value)) : std::nullopt;
}

std::optional<double> Header::real(std::string_view name) const {
  const auto value = text(name);
  return value ? parse_real(trim(*value)) : std::nullopt;
}

size_t Header::count(std::string_view name) const {
  return static_cast<size_t>(
      std::count_if(cards_.begin(), cards_.end(),
                    [name](std::string_view card) { return card_name(card) == name; }));
}

std::string number_card(std::string_view name, std::string_view value,
                        std::string_view comment) {
  std::string card(name);
  card.resize(8, ' ');
  card += "= ";
  if (value.size() < 20) card.append(20 - value.size(), ' ');
  card += value;
  if (!comment.empty()) card.append(" / ").append(comment);
  card.resize(card_size, ' ');
  return card;
}

}  // namespace specex::io
