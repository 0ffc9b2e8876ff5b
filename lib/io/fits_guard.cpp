// SPDX-License-Identifier: BSD-3-Clause
#include "io/fits_guard.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstring>
#include <optional>

#include "base/error.hpp"
#include "io/expansion.hpp"
#include "io/file_name.hpp"
#include "io/rice_guard.hpp"

namespace specex::io {
namespace {

// A column of a binary table, from its TFORMn.
struct Column {
  int64_t repeat = 1;
  char type = 0;
  char element = 0;    // of the arrays that a P or Q column points at
  int64_t offset = 0;  // bytes from the start of a row
};

int64_t element_size(char type) {
  switch (type) {
    case 'L':
    case 'B':
    case 'A':
    case 'X':
      return 1;
    case 'I':
      return 2;
    case 'J':
    case 'E':
      return 4;
    case 'K':
    case 'D':
    case 'C':
    case 'P':
      return 8;
    case 'M':
    case 'Q':
      return 16;
    default:
      return 0;
  }
}

int64_t width_of(const Column &column) {
  if (column.type == 'X') return (column.repeat + 7) / 8;
  return column.repeat * element_size(column.type);
}

// rTa, e.g. 100D, 8A, 1PB(123).
std::optional<Column> parse_tform(std::string_view form) {
  Column column;
  const size_t digits = std::min(form.find_first_not_of("0123456789"), form.size());
  if (digits > 0) {
    const auto repeat = parse_integer(form.substr(0, digits));
    if (!repeat || *repeat > limits::pixels) return {};
    column.repeat = *repeat;
  }
  if (digits == form.size()) return {};
  column.type = form[digits];
  if (element_size(column.type) == 0) return {};
  if (column.type == 'P' || column.type == 'Q') {
    if (column.repeat > 1 || digits + 1 == form.size()) return {};
    column.element = form[digits + 1];
    if (element_size(column.element) == 0 || element_size(column.element) > 16) return {};
  }
  return column;
}

uint64_t big_endian(const uint8_t *bytes, size_t size) {
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value = value << 8 | bytes[i];
  return value;
}

// Checks the HDUs of one file, one after the other.
class Guard {
 public:
  Guard(const Buffer &bytes, std::string_view file, const Fetch &fetch)
      : bytes_(bytes), file_(quoted(file)), fetch_(fetch) {}

  std::vector<Hdu> run() {
    fetch_block(0);
    if (bytes_.size() < 9 || std::memcmp(bytes_.data(), "SIMPLE  =", 9) != 0)
      fail(SPECEX_ERROR_FORMAT, "%s is not a FITS file: it does not begin with SIMPLE",
           file_.c_str());
    std::vector<Hdu> hdus;
    for (size_t begin = 0; begin < bytes_.size(); begin = hdu_.end) {
      if (begin > 0 && !is_extension(begin)) {
        check_padding(begin);
        break;
      }
      if (hdus.size() == limits::hdus)
        fail(SPECEX_ERROR_LIMIT, "%s has more than %zu HDUs", file_.c_str(),
             limits::hdus);
      hdu_ = Hdu{};
      hdu_.number = static_cast<int>(hdus.size());
      hdu_.header_begin = begin;
      read_header();
      check_hdu();
      hdus.push_back(hdu_);
    }
    return hdus;
  }

 private:
  void fetch_block(size_t begin) const {
    fetch_(begin, std::min(begin + block_size, bytes_.size()));
  }

  bool is_extension(size_t begin) const {
    fetch_block(begin);
    return bytes_.size() - begin >= 8 &&
           std::memcmp(bytes_.data() + begin, "XTENSION", 8) == 0;
  }

  // After the last HDU there may be filling, as tapes left it, but nothing else.
  void check_padding(size_t begin) const {
    fetch_(begin, bytes_.size());
    const auto *found =
        std::find_if(bytes_.data() + begin, bytes_.data() + bytes_.size(),
                     [](uint8_t byte) { return byte != 0 && byte != ' '; });
    if (found != bytes_.data() + bytes_.size())
      fail(SPECEX_ERROR_FORMAT,
           "%s has neither a header nor filling at byte %zu: it is damaged or truncated",
           file_.c_str(), begin);
  }

  void read_header() {
    std::vector<std::string> cards;
    size_t at = hdu_.header_begin;
    for (;; at += card_size) {
      if (at + card_size > bytes_.size())
        fail(SPECEX_ERROR_FORMAT,
             "%s is truncated: the header that begins at byte %zu has no END before the "
             "file ends at byte %zu",
             file_.c_str(), hdu_.header_begin, bytes_.size());
      if (at - hdu_.header_begin >= limits::header_bytes)
        fail(SPECEX_ERROR_LIMIT,
             "%s: the header that begins at byte %zu exceeds %zu bytes", file_.c_str(),
             hdu_.header_begin, limits::header_bytes);
      if (at > hdu_.header_begin && (at - hdu_.header_begin) % block_size == 0)
        fetch_block(at);
      std::string card(reinterpret_cast<const char *>(bytes_.data()) + at, card_size);
      if (card_name(card) == "END") break;
      check_keyword(card, at);
      cards.push_back(std::move(card));
    }
    const size_t header_size = at + card_size - hdu_.header_begin;
    hdu_.data_begin = hdu_.header_begin + filled_up(header_size);
    if (hdu_.data_begin > bytes_.size())
      fail(SPECEX_ERROR_FORMAT,
           "%s is truncated: its header needs the bytes up to %zu, the file ends at byte "
           "%zu",
           file_.c_str(), hdu_.data_begin, bytes_.size());
    hdu_.header = Header(std::move(cards));
    hdu_.name = trim(hdu_.header.text("EXTNAME").value_or(""));
    std::transform(hdu_.name.begin(), hdu_.name.end(), hdu_.name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  }

  void check_keyword(std::string_view card, size_t at) const {
    const std::string_view name = card_name(card);
    if (!std::all_of(name.begin(), name.end(), [](unsigned char c) {
          return std::isalnum(c) != 0 || c == '-' || c == '_';
        }))
      fail(SPECEX_ERROR_FORMAT, "%s has an illegal keyword at byte %zu", file_.c_str(),
           at);
  }

  void check_hdu() {
    check_first_keyword();
    expect("BITPIX", 1);
    expect("NAXIS", 2);
    const int64_t bitpix = required("BITPIX");
    constexpr std::array<int64_t, 6> legal = {8, 16, 32, 64, -32, -64};
    if (std::find(legal.begin(), legal.end(), bitpix) == legal.end())
      bad_value("BITPIX", bitpix);
    const int64_t naxis = required("NAXIS");
    if (naxis < 0 || naxis > 999) bad_value("NAXIS", naxis);
    if (naxis > limits::axes)
      fail(SPECEX_ERROR_LIMIT, "%s: %s has NAXIS = %lld; at most %lld axes are read",
           file_.c_str(), hdu_.label().c_str(), static_cast<long long>(naxis),
           static_cast<long long>(limits::axes));
    std::vector<int64_t> axes;  // fastest first, as in the header
    for (int64_t i = 1; i <= naxis; ++i) {
      expect(indexed("NAXIS", i), static_cast<size_t>(2 + i));
      axes.push_back(required(indexed("NAXIS", i)));
    }
    const int64_t elements = product("NAXIS", axes);
    const int64_t parameters = check_groups(static_cast<size_t>(3 + naxis));
    check_data_size(elements, parameters, std::abs(bitpix) / 8);

    hdu_.bitpix = static_cast<int>(bitpix);
    const std::string extension(
        hdu_.number == 0 ? "IMAGE" : trim(hdu_.header.text("XTENSION").value_or("")));
    if (extension != "IMAGE") fetch_(hdu_.data_begin, hdu_.end);
    if (extension == "BINTABLE" || extension == "A3DTABLE") {
      check_table(axes, parameters, bitpix);
    } else if (extension == "TABLE") {
      check_ascii_table(axes, parameters, bitpix);
    } else if (extension == "IMAGE") {
      hdu_.kind = HduKind::image;
      if (parameters != 0) bad_value("PCOUNT", parameters);
      hdu_.shape.assign(axes.rbegin(), axes.rend());
    }
  }

  void check_first_keyword() const {
    const char *name = hdu_.number == 0 ? "SIMPLE" : "XTENSION";
    expect(name, 0);
    if (hdu_.number == 0 && !hdu_.header.is_true("SIMPLE"))
      fail(SPECEX_ERROR_FORMAT, "%s does not follow the FITS standard: SIMPLE is not T",
           file_.c_str());
  }

  // PCOUNT; GCOUNT must be 1, so groups are refused.
  int64_t check_groups(size_t position) const {
    const bool extension = hdu_.number > 0;
    if (extension) {
      expect("PCOUNT", position);
      expect("GCOUNT", position + 1);
    }
    const bool groups = hdu_.header.is_true("GROUPS");
    const int64_t gcount = optional("GCOUNT").value_or(1);
    if (groups || gcount != 1)
      fail(SPECEX_ERROR_FORMAT, "%s: %s holds random groups, which are not read",
           file_.c_str(), hdu_.label().c_str());
    const int64_t pcount = optional("PCOUNT").value_or(0);
    if (pcount < 0 || (!extension && pcount != 0)) bad_value("PCOUNT", pcount);
    return pcount;
  }

  void check_data_size(int64_t elements, int64_t parameters, int64_t bytes_each) {
    int64_t size = 0;
    if (__builtin_add_overflow(elements, parameters, &size) ||
        __builtin_mul_overflow(size, bytes_each, &size) || size > (int64_t{1} << 40))
      fail(SPECEX_ERROR_LIMIT, "%s: %s announces more data than any file that is read",
           file_.c_str(), hdu_.label().c_str());
    hdu_.end = hdu_.data_begin + filled_up(static_cast<size_t>(size));
    if (hdu_.end > bytes_.size())
      fail(SPECEX_ERROR_FORMAT,
           "%s is truncated: %s needs the bytes from %zu to %zu, the file ends at byte "
           "%zu",
           file_.c_str(), hdu_.label().c_str(), hdu_.data_begin, hdu_.end, bytes_.size());
  }

  // The number of elements of an array with these axes.
  int64_t product(const char *name, const std::vector<int64_t> &axes) const {
    int64_t elements = axes.empty() ? 0 : 1;
    for (size_t i = 0; i < axes.size(); ++i) {
      const std::string axis = indexed(name, static_cast<int64_t>(i) + 1);
      if (axes[i] < 0) bad_value(axis, axes[i]);
      if (axes[i] > limits::pixels ||
          __builtin_mul_overflow(elements, axes[i], &elements) ||
          elements > limits::pixels)
        fail(SPECEX_ERROR_LIMIT, "%s: %s has %s = %lld; at most %lld pixels are read",
             file_.c_str(), hdu_.label().c_str(), axis.c_str(),
             static_cast<long long>(axes[i]), static_cast<long long>(limits::pixels));
    }
    return elements;
  }

  void check_ascii_table(const std::vector<int64_t> &axes, int64_t parameters,
                         int64_t bitpix) const {
    if (bitpix != 8) bad_value("BITPIX", bitpix);
    if (axes.size() != 2) bad_value("NAXIS", static_cast<int64_t>(axes.size()));
    if (parameters != 0) bad_value("PCOUNT", parameters);
    const int64_t fields = field_count();
    for (int64_t i = 1; i <= fields; ++i) {
      const int64_t column = required(indexed("TBCOL", i));
      if (column < 1 || column > std::max<int64_t>(axes[0], 1))
        bad_value(indexed("TBCOL", i), column);
      const std::string form = required_text(indexed("TFORM", i));
      const auto width =
          parse_integer(std::string_view(form).substr(1, form.find('.') - 1));
      if (std::strchr("AIFED", form[0]) == nullptr || !width || *width < 0 ||
          *width > axes[0] - (column - 1))
        bad_text(indexed("TFORM", i), form);
    }
  }

  void check_table(const std::vector<int64_t> &axes, int64_t parameters, int64_t bitpix) {
    hdu_.kind = HduKind::table;
    if (bitpix != 8) bad_value("BITPIX", bitpix);
    if (axes.size() != 2) bad_value("NAXIS", static_cast<int64_t>(axes.size()));
    hdu_.nrow = axes[1];
    const int64_t fields = field_count();
    std::vector<Column> columns;
    int64_t width = 0;
    for (int64_t i = 1; i <= fields; ++i) {
      const std::string name = indexed("TFORM", i);
      const std::string form = required_text(name);
      auto column = parse_tform(form);
      if (!column) bad_text(name, form);
      column->offset = width;
      width += width_of(*column);
      columns.push_back(*column);
    }
    if (width != axes[0])
      fail(SPECEX_ERROR_FORMAT,
           "%s: the columns of %s are %lld bytes wide, but NAXIS1 = %lld", file_.c_str(),
           hdu_.label().c_str(), static_cast<long long>(width),
           static_cast<long long>(axes[0]));
    check_heap(columns, axes, parameters);
    if (hdu_.header.is_true("ZIMAGE")) check_compressed_image(columns);
  }

  int64_t field_count() const {
    const int64_t fields = required("TFIELDS");
    if (fields < 0 || fields > limits::columns) bad_value("TFIELDS", fields);
    return fields;
  }

  // What variable-length columns point at must lie in the heap after the table.
  void check_heap(const std::vector<Column> &columns, const std::vector<int64_t> &axes,
                  int64_t parameters) {
    const int64_t table = axes[0] * axes[1];
    const int64_t heap = optional("THEAP").value_or(table);
    if (heap < table || heap > table + parameters) bad_value("THEAP", heap);
    row_size_ = axes[0];
    heap_begin_ = hdu_.data_begin + static_cast<size_t>(heap);
    heap_size_ = static_cast<size_t>(table + parameters - heap);
    for (const Column &column : columns)
      if (column.element != 0 && column.repeat != 0)
        for (int64_t row = 0; row < axes[1]; ++row) heap_array(column, row);
  }

  struct HeapArray {
    const uint8_t *bytes;
    size_t size;
  };

  // Of one row of a variable-length column.
  HeapArray heap_array(const Column &column, int64_t row) const {
    const size_t half = column.type == 'P' ? 4 : 8;
    const size_t at =
        hdu_.data_begin + static_cast<size_t>(row * row_size_ + column.offset);
    const uint64_t count = big_endian(bytes_.data() + at, half);
    const uint64_t offset = big_endian(bytes_.data() + at + half, half);
    const auto size = static_cast<uint64_t>(element_size(column.element));
    if (count == 0) return {nullptr, 0};
    if (offset > heap_size_ || count > (heap_size_ - offset) / size)
      fail(SPECEX_ERROR_FORMAT,
           "%s: row %lld of %s points outside its data (byte %zu): it is damaged",
           file_.c_str(), static_cast<long long>(row), hdu_.label().c_str(), at);
    return {bytes_.data() + heap_begin_ + offset, count * size};
  }

  const Column &compressed_column(const std::vector<Column> &columns) const {
    for (size_t i = 0; i < columns.size(); ++i)
      if (hdu_.header.text(indexed("TTYPE", static_cast<int64_t>(i) + 1)) ==
              "COMPRESSED_DATA" &&
          columns[i].element == 'B' && columns[i].repeat == 1)
        return columns[i];
    fail(SPECEX_ERROR_FORMAT, "%s: %s has no column COMPRESSED_DATA of bytes",
         file_.c_str(), hdu_.label().c_str());
  }

  // The tiled image convention (FITS standard 4.0, section 10).
  void check_compressed_image(const std::vector<Column> &columns) {
    hdu_.kind = HduKind::compressed_image;
    const std::string method = required_text("ZCMPTYPE");
    constexpr std::array<std::string_view, 5> known = {"RICE_1", "RICE_ONE", "GZIP_1",
                                                       "GZIP_2", "NOCOMPRESS"};
    if (std::find(known.begin(), known.end(), method) == known.end())
      fail(SPECEX_ERROR_UNSUPPORTED,
           "%s: %s is compressed with %s, which is not read; funpack it first",
           file_.c_str(), hdu_.label().c_str(), method.c_str());
    const int64_t bitpix = required("ZBITPIX");
    constexpr std::array<int64_t, 6> legal = {8, 16, 32, 64, -32, -64};
    if (std::find(legal.begin(), legal.end(), bitpix) == legal.end())
      bad_value("ZBITPIX", bitpix);
    const int64_t naxis = required("ZNAXIS");
    if (naxis < 1 || naxis > limits::axes) bad_value("ZNAXIS", naxis);
    std::vector<int64_t> axes;
    std::vector<int64_t> tile_axes;
    for (int64_t i = 1; i <= naxis; ++i) {
      const int64_t axis = required(indexed("ZNAXIS", i));
      const int64_t tile = optional(indexed("ZTILE", i)).value_or(i == 1 ? axis : 1);
      if (axis < 1) bad_value(indexed("ZNAXIS", i), axis);
      if (tile < 1 || tile > axis) bad_value(indexed("ZTILE", i), tile);
      axes.push_back(axis);
      tile_axes.push_back(tile);
    }
    const int64_t pixels = product("ZNAXIS", axes);
    int64_t tiles = 1;
    for (size_t i = 0; i < axes.size(); ++i)
      tiles *= (axes[i] + tile_axes[i] - 1) / tile_axes[i];
    if (static_cast<size_t>(pixels * (std::abs(bitpix) / 8)) >
        largest_expansion(bytes_.size()))
      fail(SPECEX_ERROR_LIMIT,
           "%s: %s would expand to %lld pixels, too many for a file of %zu bytes",
           file_.c_str(), hdu_.label().c_str(), static_cast<long long>(pixels),
           bytes_.size());
    if (tiles != hdu_.nrow)
      fail(SPECEX_ERROR_FORMAT, "%s: %s has %lld rows for %lld tiles", file_.c_str(),
           hdu_.label().c_str(), static_cast<long long>(hdu_.nrow),
           static_cast<long long>(tiles));
    const Column &column = compressed_column(columns);
    if (method.starts_with("RICE")) check_rice_tiles(column, axes, tile_axes);
    hdu_.bitpix = static_cast<int>(bitpix);
    hdu_.shape.assign(axes.rbegin(), axes.rend());
  }

  // In ZVAL1 and ZVAL2, in either order.
  struct RiceParameters {
    int64_t block_size;
    int64_t bytes_per_pixel;
  };

  RiceParameters rice_parameters() const {
    const int64_t first = required("ZVAL1");
    const int64_t second = optional("ZVAL2").value_or(4);
    const bool swapped = first < 16 && second > 8;
    const RiceParameters rice =
        swapped ? RiceParameters{second, first} : RiceParameters{first, second};
    if (rice.block_size != 16 && rice.block_size != 32)
      bad_value(swapped ? "ZVAL2" : "ZVAL1", rice.block_size);
    if (rice.bytes_per_pixel != 1 && rice.bytes_per_pixel != 2 &&
        rice.bytes_per_pixel != 4)
      bad_value(swapped ? "ZVAL1" : "ZVAL2", rice.bytes_per_pixel);
    return rice;
  }

  void check_rice_tiles(const Column &column, const std::vector<int64_t> &axes,
                        const std::vector<int64_t> &tiles) const {
    const RiceParameters rice = rice_parameters();
    for (int64_t row = 0; row < hdu_.nrow; ++row) {
      int64_t pixels = 1;
      int64_t rest = row;
      for (size_t i = 0; i < axes.size(); ++i) {
        const int64_t along = (axes[i] + tiles[i] - 1) / tiles[i];
        pixels *= std::min(tiles[i], axes[i] - rest % along * tiles[i]);
        rest /= along;
      }
      const auto [bytes, size] = heap_array(column, row);
      if (size > 0 && !rice_tile_is_complete(bytes, size, pixels, rice.block_size,
                                             rice.bytes_per_pixel))
        fail(SPECEX_ERROR_FORMAT, "%s: tile %lld of %s is damaged", file_.c_str(),
             static_cast<long long>(row), hdu_.label().c_str());
    }
  }

  // The mandatory keywords have fixed places.
  void expect(std::string_view name, size_t position) const {
    const auto &cards = hdu_.header.cards();
    if (position >= cards.size() || card_name(cards[position]) != name)
      fail(SPECEX_ERROR_FORMAT, "%s: %s lacks %s at its place, card %zu (byte %zu)",
           file_.c_str(), hdu_.label().c_str(), std::string(name).c_str(), position + 1,
           hdu_.header_begin + position * card_size);
  }

  // A second card of the same name could be the one that CFITSIO believes.
  std::optional<int64_t> optional(const std::string &name) const {
    const size_t count = hdu_.header.count(name);
    if (count == 0) return {};
    const auto value = hdu_.header.integer(name);
    if (count > 1 || !value)
      fail(SPECEX_ERROR_FORMAT, "%s: %s of %s is %s", file_.c_str(), name.c_str(),
           hdu_.label().c_str(), count > 1 ? "there more than once" : "not an integer");
    return value;
  }

  int64_t required(const std::string &name) const {
    const auto value = optional(name);
    if (!value) missing(name);
    return *value;
  }

  std::string required_text(const std::string &name) const {
    const auto value = hdu_.header.text(name);
    if (!value || trim(*value).empty() || hdu_.header.count(name) > 1) missing(name);
    return std::string(trim(*value));
  }

  [[noreturn]] void missing(const std::string &name) const {
    fail(SPECEX_ERROR_FORMAT, "%s: %s lacks a (single) %s", file_.c_str(),
         hdu_.label().c_str(), name.c_str());
  }

  [[noreturn]] void bad_value(const std::string &name, int64_t value) const {
    bad_text(name, std::to_string(value));
  }

  [[noreturn]] void bad_text(const std::string &name, const std::string &value) const {
    fail(SPECEX_ERROR_FORMAT, "%s: %s has the illegal %s = %s", file_.c_str(),
         hdu_.label().c_str(), name.c_str(), quoted(value).c_str());
  }

  const Buffer &bytes_;
  const std::string file_;
  const Fetch &fetch_;
  Hdu hdu_;
  int64_t row_size_ = 0;   // bytes, of the table that is checked
  size_t heap_begin_ = 0;  // bytes from the start of the file
  size_t heap_size_ = 0;
};

}  // namespace

std::string Hdu::label() const {
  std::string text = "HDU " + std::to_string(number);
  if (!name.empty()) text += " (" + name + ")";
  return text;
}

std::vector<Hdu> check_fits(const Buffer &bytes, std::string_view file,
                            const Fetch &fetch) {
  return Guard(bytes, file, fetch).run();
}

}  // namespace specex::io
