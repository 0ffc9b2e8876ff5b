// SPDX-License-Identifier: BSD-3-Clause
#include "io/pass_through.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <string_view>

#include "base/error.hpp"

namespace specex::io {
namespace {

bool is_numbered(std::string_view name, std::string_view stem) {
  return name.size() > stem.size() && name.starts_with(stem) &&
         std::all_of(name.begin() + static_cast<std::ptrdiff_t>(stem.size()), name.end(),
                     [](unsigned char c) { return std::isdigit(c) != 0; });
}

// Keys that say how an HDU is stored, which the output decides for itself.
bool is_structural(std::string_view name) {
  constexpr std::array<std::string_view, 35> names = {
      "SIMPLE",   "XTENSION", "BITPIX",   "NAXIS",    "EXTEND",   "PCOUNT",   "GCOUNT",
      "GROUPS",   "BSCALE",   "BZERO",    "BLANK",    "BUNIT",    "EXTNAME",  "EXTVER",
      "EXTLEVEL", "INHERIT",  "DATAMIN",  "DATAMAX",  "CHECKSUM", "DATASUM",  "ZHECKSUM",
      "ZDATASUM", "TFIELDS",  "THEAP",    "ZIMAGE",   "ZTABLE",   "ZCMPTYPE", "ZBITPIX",
      "ZNAXIS",   "ZSIMPLE",  "ZTENSION", "ZQUANTIZ", "ZDITHER0", "ZBLANK",   "END"};
  constexpr std::array<std::string_view, 12> stems = {"NAXIS",  "TTYPE", "TFORM", "TUNIT",
                                                      "TDIM",   "TNULL", "TZERO", "TSCAL",
                                                      "ZNAXIS", "ZTILE", "ZNAME", "ZVAL"};
  return std::find(names.begin(), names.end(), name) != names.end() ||
         std::any_of(stems.begin(), stems.end(),
                     [name](std::string_view stem) { return is_numbered(name, stem); });
}

// The two lines that CFITSIO begins every primary header with.
bool is_boilerplate(std::string_view card) {
  return card.starts_with("COMMENT   FITS (Flexible Image Transport System)") ||
         card.starts_with("COMMENT   and Astrophysics', volume 376, page 359;");
}

bool is_commentary(std::string_view name) {
  return name.empty() || name == "COMMENT" || name == "HISTORY" || name == "HIERARCH";
}

bool is_printable(const char *text) {
  return std::all_of(text, text + std::strlen(text),
                     [](unsigned char c) { return c >= 32 && c < 127; });
}

bool is_legal_name(std::string_view name) {
  return !name.empty() && name.size() <= 8 &&
         std::all_of(name.begin(), name.end(), [](unsigned char c) {
           return std::isupper(c) != 0 || std::isdigit(c) != 0 || c == '-' || c == '_';
         });
}

bool value_fits_type(const specex_fits_card &card) {
  const std::string_view value = card.value;
  switch (card.type) {
    case SPECEX_CARD_TEXT:
      return is_printable(card.value);
    case SPECEX_CARD_INTEGER:
      return parse_integer(value).has_value();
    case SPECEX_CARD_REAL:
      return parse_real(value).has_value() && value.size() <= 70;
    case SPECEX_CARD_LOGICAL:
      return value == "T" || value == "F";
    default:
      return false;
  }
}

}  // namespace

PassThrough read_pass_through(const FitsFile &file, const Hdu &main) {
  PassThrough pass;
  std::vector<std::string> cards = main.header.cards();
  if (main.number != 0) {
    const Header &first = file.hdus().front().header;
    bool skipping = false;
    for (const std::string &card : first.cards()) {
      const std::string name(card_name(card));
      if (name != "CONTINUE")
        skipping = !is_commentary(name) && main.header.count(name) > 0;
      if (!skipping) cards.push_back(card);
    }
  }
  pass.keys = Header(std::move(cards));
  const Hdu *fibermap = file.find("FIBERMAP");
  if (fibermap != nullptr && fibermap->kind == HduKind::table)
    pass.fibermap = file.extract(*fibermap);
  return pass;
}

void check_cards(const specex_fits_card *cards, int64_t ncard) {
  if (ncard < 0) fail(SPECEX_ERROR_ARGUMENT, "output.ncard is negative");
  if (ncard > 0 && cards == nullptr) fail(SPECEX_ERROR_ARGUMENT, "output.cards is NULL");
  for (int64_t i = 0; i < ncard; ++i) {
    const specex_fits_card &card = cards[i];
    const auto number = static_cast<long long>(i);
    if (card.name == nullptr || !is_legal_name(card.name))
      fail(SPECEX_ERROR_ARGUMENT,
           "the name of output.cards[%lld] is not 1 to 8 characters of A-Z 0-9 - _",
           number);
    if (is_structural(card.name) && std::strcmp(card.name, "BUNIT") != 0)
      fail(SPECEX_ERROR_ARGUMENT, "output.cards[%lld]: %s is not the caller's to set",
           number, card.name);
    if (card.value == nullptr || !value_fits_type(card))
      fail(SPECEX_ERROR_ARGUMENT,
           "output.cards[%lld]: the value of %s is not of its type", number, card.name);
    if (card.comment != nullptr && !is_printable(card.comment))
      fail(SPECEX_ERROR_ARGUMENT,
           "output.cards[%lld]: the comment of %s has unprintable characters", number,
           card.name);
  }
}

bool has_card(const specex_fits_card *cards, int64_t ncard, const std::string &name) {
  return std::any_of(cards, cards + ncard,
                     [&name](const specex_fits_card &card) { return card.name == name; });
}

void write_keys(FitsBuilder &builder, const Header *keys, const specex_fits_card *cards,
                int64_t ncard, const std::vector<std::string> &own) {
  bool skipping = false;  // also the CONTINUE cards of a key that is left out
  for (const std::string &card :
       keys != nullptr ? keys->cards() : std::vector<std::string>()) {
    const std::string name(card_name(card));
    if (name != "CONTINUE")
      skipping = is_boilerplate(card) || is_structural(name) ||
                 (!is_commentary(name) &&
                  (has_card(cards, ncard, name) ||
                   std::find(own.begin(), own.end(), name) != own.end()));
    if (!skipping) builder.write_raw_card(card);
  }
  for (int64_t i = 0; i < ncard; ++i) builder.write_card(cards[i]);
}

}  // namespace specex::io
