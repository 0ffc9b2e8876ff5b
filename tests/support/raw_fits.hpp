// SPDX-License-Identifier: BSD-3-Clause
//
// FITS files put together byte by byte, so that tests can make what no library would.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace specex::test {

using Bytes = std::vector<uint8_t>;
using Cards = std::vector<std::pair<std::string, std::string>>;  // name, value as written

inline void append(Bytes &bytes, const Bytes &more) {
  bytes.insert(bytes.end(), more.begin(), more.end());
}

inline Bytes padded(Bytes bytes, uint8_t filling) {
  bytes.resize((bytes.size() + 2879) / 2880 * 2880, filling);
  return bytes;
}

inline Bytes header(const Cards &cards) {
  Bytes bytes;
  for (const auto &[name, value] : cards) {
    std::string card = name;
    card.resize(8, ' ');
    card += "= " + value;
    card.resize(80, ' ');
    bytes.insert(bytes.end(), card.begin(), card.end());
  }
  const std::string end = "END";
  bytes.insert(bytes.end(), end.begin(), end.end());
  return padded(bytes, ' ');
}

inline Bytes hdu(const Cards &cards, const Bytes &data = {}) {
  Bytes bytes = header(cards);
  append(bytes, padded(data, 0));
  return bytes;
}

// Big-endian numbers.
template <class T>
Bytes big_endian(const std::vector<T> &values) {
  Bytes bytes;
  for (const T value : values) {
    std::array<uint8_t, sizeof(T)> each{};
    std::memcpy(each.data(), &value, sizeof value);
    for (size_t i = sizeof(T); i > 0; --i) bytes.push_back(each[i - 1]);
  }
  return bytes;
}

inline std::string text(const std::string &value) {
  std::string quoted = "'";
  quoted.append(value).append("'");
  return quoted;
}

inline Cards image_cards(bool primary, int bitpix, const std::vector<int64_t> &axes,
                         const std::string &extname) {
  Cards cards = {primary ? std::pair<std::string, std::string>{"SIMPLE", "T"}
                         : std::pair<std::string, std::string>{"XTENSION", "'IMAGE   '"},
                 {"BITPIX", std::to_string(bitpix)},
                 {"NAXIS", std::to_string(axes.size())}};
  for (size_t i = 0; i < axes.size(); ++i)
    cards.emplace_back("NAXIS" + std::to_string(i + 1), std::to_string(axes[i]));
  if (!primary) {
    cards.emplace_back("PCOUNT", "0");
    cards.emplace_back("GCOUNT", "1");
  }
  if (!extname.empty()) cards.emplace_back("EXTNAME", text(extname));
  return cards;
}

// A binary table; columns are TTYPE and TFORM.
inline Cards table_cards(int64_t width, int64_t nrow, int64_t pcount,
                         const Cards &columns, const std::string &extname) {
  Cards cards = {{"XTENSION", "'BINTABLE'"},
                 {"BITPIX", "8"},
                 {"NAXIS", "2"},
                 {"NAXIS1", std::to_string(width)},
                 {"NAXIS2", std::to_string(nrow)},
                 {"PCOUNT", std::to_string(pcount)},
                 {"GCOUNT", "1"},
                 {"TFIELDS", std::to_string(columns.size())}};
  for (size_t i = 0; i < columns.size(); ++i) {
    cards.emplace_back("TTYPE" + std::to_string(i + 1), text(columns[i].first));
    cards.emplace_back("TFORM" + std::to_string(i + 1), text(columns[i].second));
  }
  cards.emplace_back("EXTNAME", text(extname));
  return cards;
}

// Replaces the value of a card, or appends the card.
inline Cards with(Cards cards, const std::string &name, const std::string &value) {
  for (auto &card : cards)
    if (card.first == name) {
      card.second = value;
      return cards;
    }
  cards.emplace_back(name, value);
  return cards;
}

inline Cards without(Cards cards, const std::string &name) {
  std::erase_if(cards, [&name](const auto &card) { return card.first == name; });
  return cards;
}

// A tile-compressed image whose tiles are its rows.
inline Bytes compressed_image(const std::string &extname, const std::string &method,
                              int bitpix, int64_t nx, const std::vector<Bytes> &tiles,
                              const Cards &more = {}) {
  std::vector<int32_t> descriptors;
  Bytes heap;
  for (const Bytes &tile : tiles) {
    descriptors.push_back(static_cast<int32_t>(tile.size()));
    descriptors.push_back(static_cast<int32_t>(heap.size()));
    append(heap, tile);
  }
  const auto ny = static_cast<int64_t>(tiles.size());
  Cards cards = table_cards(8, ny, static_cast<int64_t>(heap.size()),
                            {{"COMPRESSED_DATA", "1PB"}}, extname);
  for (const auto &card : Cards{{"ZIMAGE", "T"},
                                {"ZCMPTYPE", text(method)},
                                {"ZBITPIX", std::to_string(bitpix)},
                                {"ZNAXIS", "2"},
                                {"ZNAXIS1", std::to_string(nx)},
                                {"ZNAXIS2", std::to_string(ny)},
                                {"ZTILE1", std::to_string(nx)},
                                {"ZTILE2", "1"}})
    cards.push_back(card);
  for (const auto &[name, value] : more) cards = with(cards, name, value);
  Bytes data = big_endian(descriptors);
  append(data, heap);
  return hdu(cards, data);
}

}  // namespace specex::test
