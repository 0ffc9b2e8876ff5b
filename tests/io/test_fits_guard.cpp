// SPDX-License-Identifier: BSD-3-Clause
#include <random>

#include "io/fits_file.hpp"
#include "io/fits_guard.hpp"
#include "io/rice_guard.hpp"
#include "support/cmocka.hpp"
#include "support/expect_error.hpp"
#include "support/raw_fits.hpp"

using namespace specex;
using namespace specex::test;

namespace {

io::Buffer buffer_of(const Bytes &bytes) {
  io::Buffer buffer(bytes.size());
  std::copy(bytes.begin(), bytes.end(), buffer.data());
  return buffer;
}

std::vector<io::Hdu> check(const Bytes &bytes) {
  return io::check_fits(buffer_of(bytes), "test.fits");
}

void refused(const Bytes &bytes, specex_status status, const std::string &part) {
  expect_error(status, part, [&bytes] { check(bytes); });
}

const Cards primary = image_cards(true, -32, {3, 2}, "IMAGE");
const Bytes six_floats(24, 0);
const Cards table = table_cards(12, 2, 0, {{"A", "1D"}, {"B", "4A"}}, "TABLE");

Bytes valid_file() {
  Bytes bytes = hdu(primary, six_floats);
  append(bytes, hdu(image_cards(false, 16, {5, 4}, "mask"), Bytes(40, 0)));
  append(bytes, hdu(table, Bytes(24, 0)));
  return bytes;
}

Bytes with_extension(const Cards &cards, const Bytes &data = {}) {
  Bytes bytes = hdu(primary, six_floats);
  append(bytes, hdu(cards, data));
  return bytes;
}

void guard_valid_file_lists_hdus(void **) {
  const auto hdus = check(valid_file());
  assert_int_equal(hdus.size(), 3);
  assert_string_equal(hdus[0].name.c_str(), "IMAGE");
  assert_string_equal(hdus[1].name.c_str(), "MASK");
  assert_string_equal(hdus[1].label().c_str(), "HDU 1 (MASK)");
  assert_int_equal(hdus[1].bitpix, 16);
  assert_true((hdus[1].shape == std::vector<int64_t>{4, 5}));
  assert_true(hdus[2].kind == io::HduKind::table);
  assert_int_equal(hdus[2].nrow, 2);
  assert_int_equal(hdus[2].end, valid_file().size());
}

void guard_not_fits_is_refused(void **) {
  refused({'h', 'i'}, SPECEX_ERROR_FORMAT, "not a FITS file");
  refused(Bytes(10000, 'x'), SPECEX_ERROR_FORMAT, "'test.fits' is not a FITS file");
  refused(hdu(with(primary, "SIMPLE", "F"), six_floats), SPECEX_ERROR_FORMAT,
          "SIMPLE is not T");
}

// Every cut but those between two HDUs is noticed.
void guard_cut_file_is_refused(void **) {
  const Bytes whole = valid_file();
  const auto hdus = check(whole);
  for (size_t block = 1; block <= whole.size() / 2880; ++block)
    for (const size_t size : {block * 2880 - 1, block * 2880, block * 2880 + 1}) {
      if (size >= whole.size()) continue;
      const bool complete = std::any_of(hdus.begin(), hdus.end(),
                                        [size](const auto &h) { return h.end == size; });
      // One byte more than complete could be filling, but is the X of XTENSION.
      const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      if (complete)
        assert_true(check(cut).size() < hdus.size());
      else
        refused(cut, SPECEX_ERROR_FORMAT, "truncated");
    }
}

void guard_cut_file_names_the_byte(void **) {
  Bytes bytes = valid_file();
  bytes.resize(4000);
  refused(bytes, SPECEX_ERROR_FORMAT, "the file ends at byte 4000");
}

void guard_filling_at_the_end_is_allowed(void **) {
  Bytes bytes = valid_file();
  bytes.resize(bytes.size() + 5000, 0);
  assert_int_equal(check(bytes).size(), 3);
  bytes.back() = 'x';
  refused(bytes, SPECEX_ERROR_FORMAT, "neither a header nor filling");
}

void guard_enormous_images_are_refused(void **) {
  refused(hdu(with(primary, "NAXIS", "999")), SPECEX_ERROR_LIMIT, "NAXIS = 999");
  refused(hdu(image_cards(true, 8, {2, 2, 2, 2}, "")), SPECEX_ERROR_LIMIT, "NAXIS = 4");
  refused(hdu(image_cards(true, -32, {int64_t{1} << 40, int64_t{1} << 40}, "")),
          SPECEX_ERROR_LIMIT, "NAXIS1");
  refused(hdu(image_cards(true, -32, {1 << 20, 1 << 20}, "")), SPECEX_ERROR_LIMIT,
          "NAXIS2");
  refused(hdu(image_cards(true, -32, {1 << 10, 1 << 10}, "")), SPECEX_ERROR_FORMAT,
          "truncated");
  refused(with_extension(
              with(image_cards(false, 64, {1, 1}, ""), "PCOUNT", "9223372036854775807")),
          SPECEX_ERROR_LIMIT, "more data than");
}

void guard_illegal_values_are_refused(void **) {
  for (const char *value : {"0", "1", "-8", "33", "128"})
    refused(hdu(with(primary, "BITPIX", value), six_floats), SPECEX_ERROR_FORMAT,
            "BITPIX");
  for (const char *value : {"-1", "1000", "99999999999999999999", "x", "2.5", "''", ""})
    refused(hdu(with(primary, "NAXIS", value), six_floats), SPECEX_ERROR_FORMAT, "NAXIS");
  refused(hdu(with(primary, "NAXIS1", "-3"), six_floats), SPECEX_ERROR_FORMAT, "NAXIS1");
  refused(hdu(with(primary, "PCOUNT", "7"), six_floats), SPECEX_ERROR_FORMAT, "PCOUNT");
  refused(hdu(with(primary, "GCOUNT", "2"), six_floats), SPECEX_ERROR_FORMAT, "groups");
  refused(hdu(with(primary, "GROUPS", "T"), six_floats), SPECEX_ERROR_FORMAT, "groups");
  const Cards extension = image_cards(false, 8, {4}, "X");
  refused(with_extension(with(extension, "PCOUNT", "4"), Bytes(8)), SPECEX_ERROR_FORMAT,
          "PCOUNT");
}

void guard_missing_keywords_are_named(void **) {
  for (const char *name : {"BITPIX", "NAXIS", "NAXIS1", "NAXIS2"})
    refused(hdu(without(primary, name), six_floats), SPECEX_ERROR_FORMAT, name);
  for (const char *name : {"PCOUNT", "GCOUNT", "TFIELDS", "TFORM1", "TFORM2"})
    refused(with_extension(without(table, name), Bytes(24)), SPECEX_ERROR_FORMAT, name);
}

void guard_repeated_keyword_is_refused(void **) {
  Cards cards = primary;
  cards.emplace_back("NAXIS1", "3000000");
  refused(hdu(cards, six_floats), SPECEX_ERROR_FORMAT, "more than once");
}

void guard_bad_header_is_refused(void **) {
  const size_t cards = primary.size();
  const std::string card = "A       = 1";
  Bytes more(80, ' ');
  std::copy(card.begin(), card.end(), more.begin());
  Bytes bytes = header(primary);
  bytes.resize(cards * 80);
  for (size_t i = 0; i < 60000; ++i) append(bytes, more);
  refused(bytes, SPECEX_ERROR_LIMIT, "the header");
  bytes.resize(20000);
  refused(bytes, SPECEX_ERROR_FORMAT, "no END");
  Bytes illegal = hdu(with(primary, "A$B", "1"), six_floats);
  refused(illegal, SPECEX_ERROR_FORMAT, "illegal keyword");
}

void guard_many_hdus_are_refused(void **) {
  Bytes bytes = hdu(primary, six_floats);
  const Bytes extension = hdu(image_cards(false, 8, {}, "X"));
  for (int i = 0; i < 300; ++i) append(bytes, extension);
  refused(bytes, SPECEX_ERROR_LIMIT, "256 HDUs");
}

void guard_bad_tables_are_refused(void **) {
  const auto bad = [](const Cards &cards, const char *part) {
    refused(with_extension(cards, Bytes(24)), SPECEX_ERROR_FORMAT, part);
  };
  for (const char *form :
       {"'0D'", "'7D'", "'Z'", "'1'", "''", "'99999999999D'", "'1P'", "'2PB'", "'PZ'"})
    bad(with(table, "TFORM1", form), form == std::string("''") ? "TFORM1" : "");
  bad(with(table, "TFORM1", "'Z'"), "TFORM1");
  bad(with(table, "TFORM1", "'3J'"), "16 bytes wide");
  bad(with(table, "TFIELDS", "1000"), "TFIELDS");
  bad(with(table, "TFIELDS", "-1"), "TFIELDS");
  bad(with(table, "BITPIX", "16"), "BITPIX");
  bad(with(table, "THEAP", "5"), "THEAP");
  Cards flat = without(table, "NAXIS2");
  bad(with(flat, "NAXIS", "1"), "NAXIS");
}

void guard_column_types_have_their_width(void **) {
  const Cards columns = {{"A", "X"}, {"B", "9X"}, {"C", "L"},     {"D", "2I"},
                         {"E", "J"}, {"F", "K"},  {"G", "E"},     {"H", "C"},
                         {"I", "M"}, {"J", "PJ"}, {"K", "QD(3)"}, {"L", "0A"}};
  const int64_t width = 1 + 2 + 1 + 4 + 4 + 8 + 4 + 8 + 16 + 8 + 16;
  const auto cards = table_cards(width, 1, 0, columns, "T");
  assert_int_equal(check(with_extension(cards, Bytes(width, 0))).size(), 2);
}

void guard_heap_pointer_outside_is_refused(void **) {
  const Cards cards = table_cards(8, 1, 4, {{"V", "PJ"}}, "V");
  const auto file = [&cards](int32_t count, int32_t offset) {
    Bytes data = big_endian(std::vector<int32_t>{count, offset});
    data.resize(12, 0);
    return with_extension(cards, data);
  };
  assert_int_equal(check(file(1, 0)).size(), 2);
  assert_int_equal(check(file(0, 99)).size(), 2);
  for (const auto &[count, offset] :
       {std::pair{2, 0}, std::pair{1, 1}, std::pair{-1, 0}, std::pair{1, -4}})
    refused(file(count, offset), SPECEX_ERROR_FORMAT, "points outside");
}

void guard_ascii_table_is_checked(void **) {
  const Cards ascii = {{"XTENSION", "'TABLE   '"},
                       {"BITPIX", "8"},
                       {"NAXIS", "2"},
                       {"NAXIS1", "10"},
                       {"NAXIS2", "2"},
                       {"PCOUNT", "0"},
                       {"GCOUNT", "1"},
                       {"TFIELDS", "1"},
                       {"TBCOL1", "1"},
                       {"TFORM1", "'F10.3'"},
                       {"TTYPE1", "'A'"}};
  assert_int_equal(check(with_extension(ascii, Bytes(20, ' '))).size(), 2);
  for (const auto &[name, value] : Cards{{"TBCOL1", "0"},
                                         {"TBCOL1", "11"},
                                         {"TFORM1", "'F11.3'"},
                                         {"TFORM1", "'Q3'"},
                                         {"TFORM1", "'I'"}})
    refused(with_extension(with(ascii, name, value), Bytes(20, ' ')), SPECEX_ERROR_FORMAT,
            name);
  refused(
      with_extension(with(with(ascii, "TBCOL1", "2"), "TFORM1", "'A9223372036854775807'"),
                     Bytes(20, ' ')),
      SPECEX_ERROR_FORMAT, "TFORM1");
}

void guard_unknown_extension_is_passed_over(void **) {
  const auto cards = with(image_cards(false, 8, {4}, "X"), "XTENSION", "'FOREIGN '");
  const auto hdus = check(with_extension(cards, Bytes(4)));
  assert_true(hdus[1].kind == io::HduKind::other);
  assert_false(hdus[1].has_pixels());
}

void guard_compressed_image_is_checked(void **) {
  const std::vector<Bytes> tiles(3, Bytes{0, 5, 0});
  const auto file = [&tiles](const char *name, const char *value) {
    Bytes bytes = hdu(primary, six_floats);
    append(bytes, compressed_image("MASK", "RICE_1", 16, 7, tiles,
                                   {{"ZNAME1", "'BLOCKSIZE'"},
                                    {"ZVAL1", "32"},
                                    {"ZNAME2", "'BYTEPIX'"},
                                    {"ZVAL2", "2"},
                                    {name, value}}));
    return bytes;
  };
  const auto hdus = check(file("ZVAL1", "32"));
  assert_true(hdus[1].kind == io::HduKind::compressed_image);
  assert_true((hdus[1].shape == std::vector<int64_t>{3, 7}));
  assert_int_equal(hdus[1].bitpix, 16);
  for (const auto &[name, value] : Cards{{"ZBITPIX", "12"},
                                         {"ZNAXIS", "0"},
                                         {"ZNAXIS", "4"},
                                         {"ZNAXIS1", "0"},
                                         {"ZTILE1", "0"},
                                         {"ZTILE1", "8"},
                                         {"ZVAL1", "0"},
                                         {"ZVAL2", "3"}})
    refused(file(name.c_str(), value.c_str()), SPECEX_ERROR_FORMAT, name);
  refused(file("ZVAL2", "4"), SPECEX_ERROR_FORMAT, "tile 0");
  refused(file("TTYPE1", "'OTHER'"), SPECEX_ERROR_FORMAT, "COMPRESSED_DATA");
  refused(file("ZNAXIS2", "4"), SPECEX_ERROR_FORMAT, "4 tiles");
  refused(file("ZTILE1", "3"), SPECEX_ERROR_FORMAT, "9 tiles");
  refused(file("ZNAXIS1", "1099511627776"), SPECEX_ERROR_LIMIT, "");
  refused(file("ZCMPTYPE", "'HCOMPRESS_1'"), SPECEX_ERROR_UNSUPPORTED, "HCOMPRESS_1");
  refused(file("ZNAXIS1", "1000000000"), SPECEX_ERROR_LIMIT, "");
  const std::string huge = "1073741824";
  Bytes overflowing = hdu(primary, six_floats);
  append(overflowing, compressed_image("MASK", "RICE_1", 16, 7, tiles,
                                       {{"ZNAXIS", "3"},
                                        {"ZNAXIS1", huge},
                                        {"ZNAXIS2", huge},
                                        {"ZNAXIS3", huge},
                                        {"ZTILE1", "1"}}));
  refused(overflowing, SPECEX_ERROR_LIMIT, "ZNAXIS2");
  refused(file("ZNAXIS1", "200000000"), SPECEX_ERROR_LIMIT, "would expand");
}

// Three pixels of one byte, in the three ways that a block can be written. 5, 4, 5 are
// the first pixel (5) and the differences 0, -1, +1, whose codes are 1, 01, 001.
void rice_tiles_are_complete_or_refused(void **) {
  const Bytes coded = {5, 0b00110100, 0b10000000};
  const Bytes verbatim = {5, 0b11100000, 0b00000000, 0b00100000, 0b01000000};
  const Bytes equal = {5, 0};
  for (const Bytes &tile : {coded, verbatim, equal}) {
    assert_true(io::rice_tile_is_complete(tile.data(), tile.size(), 3, 32, 1));
    for (size_t size = 0; size < tile.size(); ++size)
      assert_false(io::rice_tile_is_complete(tile.data(), size, 3, 32, 1));
  }
  const Bytes endless(100, 0b00100000);  // runs out of bits in the last pixels
  assert_false(io::rice_tile_is_complete(endless.data(), 10, 1000, 32, 1));
  Bytes bytes = hdu(primary, six_floats);
  append(bytes, compressed_image("MASK", "RICE_1", 8, 3, {coded, equal},
                                 {{"ZVAL1", "32"}, {"ZVAL2", "1"}}));
  io::FitsFile file("test.fits", buffer_of(bytes));
  std::vector<float> pixels(6);
  file.read_pixels(file.require_image("MASK"), pixels.data());
  assert_true((pixels == std::vector<float>{5, 4, 5, 5, 5, 5}));
}

// Whatever the guard lets through, CFITSIO must survive.
void guard_damaged_files_end_in_an_error_or_are_read(void **) {
  std::mt19937 random(20261120);
  Bytes whole = valid_file();
  append(whole, compressed_image("C", "RICE_1", 16, 7, {{0, 5, 0}, {0, 6, 0}},
                                 {{"ZVAL1", "32"}, {"ZVAL2", "2"}}));
  int opened = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    Bytes bytes = whole;
    for (unsigned change = 0; change < 1 + random() % 3; ++change) {
      size_t at = random() % bytes.size();
      if (random() % 4 != 0) at = at / 2880 * 2880 + at % 1600;  // where the cards are
      const std::string characters = " 0123456789-'=/TF";
      bytes[at] = random() % 2 ? static_cast<uint8_t>(random())
                               : static_cast<uint8_t>(characters[random() % 17]);
    }
    try {
      io::FitsFile file("test.fits", buffer_of(bytes));
      ++opened;
      for (const io::Hdu &each : file.hdus()) {
        size_t count = 1;
        for (const int64_t axis : each.shape) count *= static_cast<size_t>(axis);
        std::vector<float> pixels(count);
        if (each.has_pixels()) file.read_pixels(each, pixels.data());
      }
    } catch (const Error &error) {
      assert_true(error.status() >= SPECEX_ERROR_UNSUPPORTED);
    }
  }
  assert_true(opened > 100);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(guard_valid_file_lists_hdus),
      cmocka_unit_test(guard_not_fits_is_refused),
      cmocka_unit_test(guard_cut_file_is_refused),
      cmocka_unit_test(guard_cut_file_names_the_byte),
      cmocka_unit_test(guard_filling_at_the_end_is_allowed),
      cmocka_unit_test(guard_enormous_images_are_refused),
      cmocka_unit_test(guard_illegal_values_are_refused),
      cmocka_unit_test(guard_missing_keywords_are_named),
      cmocka_unit_test(guard_repeated_keyword_is_refused),
      cmocka_unit_test(guard_bad_header_is_refused),
      cmocka_unit_test(guard_many_hdus_are_refused),
      cmocka_unit_test(guard_bad_tables_are_refused),
      cmocka_unit_test(guard_column_types_have_their_width),
      cmocka_unit_test(guard_heap_pointer_outside_is_refused),
      cmocka_unit_test(guard_ascii_table_is_checked),
      cmocka_unit_test(guard_unknown_extension_is_passed_over),
      cmocka_unit_test(guard_compressed_image_is_checked),
      cmocka_unit_test(rice_tiles_are_complete_or_refused),
      cmocka_unit_test(guard_damaged_files_end_in_an_error_or_are_read),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
