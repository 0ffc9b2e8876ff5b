// SPDX-License-Identifier: BSD-3-Clause
#include "io/read_image.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "io/gzip.hpp"
#include "io/write_image.hpp"
#include "support/cmocka.hpp"
#include "support/expect_error.hpp"
#include "support/random.hpp"
#include "support/raw_fits.hpp"
#include "support/scratch_directory.hpp"

using namespace specex;
using namespace specex::test;

namespace {

constexpr uint32_t badmask = 767;
const std::vector<float> pixels = {1.5F, -2, 3, 4, 5, 6};
const std::vector<float> ivar = {1, 1, 0.25F, 1, 0, 1};

template <class T>
Bytes plane(bool primary, const char *name, int bitpix, const std::vector<T> &values,
            const Cards &more = {}) {
  Cards cards = image_cards(primary, bitpix, {3, 2}, name);
  cards.insert(cards.end(), more.begin(), more.end());
  return hdu(cards, big_endian(values));
}

Bytes joined(const std::vector<Bytes> &hdus) {
  Bytes all;
  for (const Bytes &each : hdus) append(all, each);
  return all;
}

const Bytes image_hdu = plane(true, "IMAGE", -32, pixels,
                              {{"CAMERA", "'r0      '"}, {"EXPTIME", "900. / s"}});
const Bytes ivar_hdu = plane(false, "IVAR", -32, ivar);
const Bytes empty_primary = hdu({{"SIMPLE", "T"},
                                 {"BITPIX", "8"},
                                 {"NAXIS", "0"},
                                 {"EXTEND", "T"},
                                 {"CAMERA", "'z9'"},
                                 {"NIGHT", "20260101"}});

io::ImageFile read(const Bytes &bytes, uint32_t bad = badmask) {
  const ScratchDirectory scratch;
  return io::read_image(scratch.write("preproc.fits", bytes).c_str(), bad);
}

void refused(const Bytes &bytes, specex_status status, const std::string &part) {
  expect_error(status, part, [&bytes] { read(bytes); });
}

template <class T>
void assert_values(const io::Buffer &buffer, const std::vector<T> &expected) {
  assert_int_equal(buffer.size(), expected.size() * sizeof(T));
  for (size_t i = 0; i < expected.size(); ++i)
    assert_near(static_cast<double>(buffer.as<T>()[i]), static_cast<double>(expected[i]),
                0);
}

void read_image_float32_stays_float32(void **) {
  const io::ImageFile file = read(joined({image_hdu, ivar_hdu}));
  assert_int_equal(file.type, SPECEX_FLOAT32);
  assert_values(file.pixels, pixels);
  assert_values(file.ivar, ivar);
  const specex_image view = file.view();
  assert_int_equal(view.nx, 3);
  assert_int_equal(view.ny, 2);
  assert_int_equal(view.pixels_stride, 3);
  assert_int_equal(view.ivar_stride, 3);
  assert_ptr_equal(view.pixels, file.pixels.data());
  assert_string_equal(file.pass.keys.text("CAMERA")->c_str(), "r0");
}

void read_image_float64_stays_float64(void **) {
  const std::vector<double> precise = {1.0 / 3, 2, 3, 4, 5, 6e200};
  const std::vector<double> wide(ivar.begin(), ivar.end());
  const io::ImageFile file =
      read(joined({plane(true, "IMAGE", -64, precise), plane(false, "IVAR", -64, wide)}));
  assert_int_equal(file.type, SPECEX_FLOAT64);
  assert_values(file.pixels, precise);
  const io::ImageFile mixed =
      read(joined({plane(true, "IMAGE", -64, precise), ivar_hdu}));
  assert_int_equal(mixed.type, SPECEX_FLOAT64);
  assert_values(mixed.ivar, wide);
}

void read_image_integers_are_scaled(void **) {
  const std::vector<int16_t> counts = {0, 1, -1, 32767, -32768, 5};
  const io::ImageFile file = read(
      joined({plane(true, "IMAGE", 16, counts, {{"BZERO", "32768"}, {"BSCALE", "1"}}),
              ivar_hdu}));
  assert_int_equal(file.type, SPECEX_FLOAT32);
  assert_values(file.pixels, std::vector<float>{32768, 32769, 32767, 65535, 0, 32773});
  const std::vector<int32_t> large = {16777217, -1, 0, 7, 8, 9};
  const io::ImageFile wide =
      read(joined({plane(true, "IMAGE", 32, large, {{"BSCALE", "0.5"}}), ivar_hdu}));
  assert_int_equal(wide.type, SPECEX_FLOAT64);
  assert_values(wide.pixels, std::vector<double>{8388608.5, -0.5, 0, 3.5, 4, 4.5});
  const std::vector<uint8_t> bytes = {0, 1, 2, 3, 4, 255};
  assert_values(read(joined({plane(true, "IMAGE", 8, bytes), ivar_hdu})).pixels,
                std::vector<float>{0, 1, 2, 3, 4, 255});
}

void read_image_blank_and_nan_pixels_are_nan(void **) {
  const std::vector<int16_t> counts = {0, -99, 2, 3, 4, 5};
  const io::ImageFile blank =
      read(joined({plane(true, "IMAGE", 16, counts, {{"BLANK", "-99"}}), ivar_hdu}));
  assert_true(std::isnan(blank.pixels.as<float>()[1]));
  assert_near(blank.pixels.as<float>()[2], 2, 0);
  std::vector<float> values = pixels;
  values[3] = std::numeric_limits<float>::quiet_NaN();
  values[4] = std::numeric_limits<float>::infinity();
  const io::ImageFile nan = read(joined({plane(true, "IMAGE", -32, values), ivar_hdu}));
  assert_true(std::isnan(nan.pixels.as<float>()[3]));
  assert_true(std::isinf(nan.pixels.as<float>()[4]));
}

void read_image_bad_mask_bits_clear_ivar(void **) {
  const std::vector<int32_t> mask = {0, 1, 256, 512, 1024, int32_t(0x80000000U)};
  const Bytes bytes = joined({image_hdu, ivar_hdu, plane(false, "MASK", 32, mask)});
  assert_values(read(bytes).ivar, std::vector<float>{1, 0, 0.25F, 0, 0, 1});
  assert_values(read(bytes, 0xffffffff).ivar, std::vector<float>{1, 0, 0, 0, 0, 0});
  assert_values(read(bytes, 0).ivar, ivar);
}

void read_image_mask_of_any_integer_type_is_read(void **) {
  const std::vector<float> expected = {1, 0, 0.25F, 0, 0, 1};
  const std::vector<int16_t> small = {0, 1, 0, 512, 0, 1024};
  assert_values(read(joined({image_hdu, ivar_hdu, plane(false, "MASK", 16, small)})).ivar,
                expected);
  const std::vector<int32_t> shifted = {INT32_MIN,       INT32_MIN + 1, INT32_MIN,
                                        INT32_MIN + 512, INT32_MIN,     INT32_MIN + 1024};
  assert_values(
      read(joined({image_hdu, ivar_hdu,
                   plane(false, "MASK", 32, shifted, {{"BZERO", "2147483648"}})}))
          .ivar,
      expected);
  refused(joined({image_hdu, ivar_hdu, plane(false, "MASK", -32, pixels)}),
          SPECEX_ERROR_FORMAT, "bits are expected");
}

// Rows of one value each: seven bytes by hand, as RICE_1 and as GZIP_1.
void read_image_compressed_mask_is_read(void **) {
  const std::vector<float> expected = {0, 0, 0, 1, 0, 1};
  const Cards rice = {{"ZNAME1", "'BLOCKSIZE'"},
                      {"ZVAL1", "32"},
                      {"ZNAME2", "'BYTEPIX'"},
                      {"ZVAL2", "2"}};
  const Bytes riced =
      compressed_image("MASK", "RICE_1", 16, 3, {{0, 1, 0}, {4, 0, 0}}, rice);
  assert_values(read(joined({image_hdu, ivar_hdu, riced})).ivar, expected);
  const auto tile = [](const std::vector<int32_t> &values) {
    const Bytes bytes = big_endian(values);
    io::Buffer buffer(bytes.size());
    std::copy(bytes.begin(), bytes.end(), buffer.data());
    const io::Buffer packed = io::gzip(buffer);
    return Bytes(packed.data(), packed.data() + packed.size());
  };
  const Bytes zipped =
      compressed_image("MASK", "GZIP_1", 32, 3, {tile({1, 2, 4}), tile({1024, 8, 0})});
  assert_values(read(joined({image_hdu, ivar_hdu, zipped})).ivar,
                std::vector<float>{0, 0, 0, 1, 0, 1});
}

void read_image_compressed_planes_after_an_empty_primary_are_read(void **) {
  const auto tile = [](const std::vector<float> &values) {
    const Bytes bytes = big_endian(values);
    io::Buffer buffer(bytes.size());
    std::copy(bytes.begin(), bytes.end(), buffer.data());
    const io::Buffer packed = io::gzip(buffer);
    return Bytes(packed.data(), packed.data() + packed.size());
  };
  const Bytes image =
      compressed_image("IMAGE", "GZIP_1", -32, 3, {tile({1.5F, -2, 3}), tile({4, 5, 6})},
                       {{"CAMERA", "'r0'"}});
  const Bytes other =
      compressed_image("IVAR", "GZIP_1", -32, 3, {tile({1, 1, 0.25F}), tile({1, 0, 1})});
  const io::ImageFile file = read(joined({empty_primary, image, other}));
  assert_values(file.pixels, pixels);
  assert_values(file.ivar, ivar);
  assert_string_equal(file.pass.keys.text("CAMERA")->c_str(), "r0");  // IMAGE's own first
  assert_int_equal(*file.pass.keys.integer("NIGHT"), 20260101);
}

void read_image_in_an_extension_is_found(void **) {
  const io::ImageFile file =
      read(joined({empty_primary, ivar_hdu, plane(false, "image", -32, pixels)}));
  assert_values(file.pixels, pixels);
  assert_string_equal(file.pass.keys.text("CAMERA")->c_str(), "z9");
}

void read_image_missing_parts_are_named(void **) {
  refused(image_hdu, SPECEX_ERROR_FORMAT, "no HDU named IVAR; it has IMAGE");
  refused(joined({empty_primary, ivar_hdu}), SPECEX_ERROR_FORMAT,
          "no HDU named IMAGE; it has (unnamed), IVAR");
  refused(joined({hdu(image_cards(true, -32, {6}, "IMAGE"), Bytes(24)), ivar_hdu}),
          SPECEX_ERROR_FORMAT, "two axes");
  refused(joined({hdu(image_cards(true, -32, {0, 2}, "IMAGE")), ivar_hdu}),
          SPECEX_ERROR_FORMAT, "has pixels");
  refused(joined({hdu(image_cards(true, -32, {}, "IMAGE")), ivar_hdu}),
          SPECEX_ERROR_FORMAT, "HDU 0 (IMAGE) is not an image");
  refused(joined({image_hdu, hdu(image_cards(false, -32, {3, 3}, "IVAR"), Bytes(36))}),
          SPECEX_ERROR_FORMAT, "HDU 1 (IVAR) has 3 x 3 pixels, but IMAGE has 3 x 2");
  refused(
      joined({image_hdu, ivar_hdu, hdu(image_cards(false, 16, {2}, "MASK"), Bytes(4))}),
      SPECEX_ERROR_FORMAT, "HDU 2 (MASK) has");
}

void read_image_long_strings_and_quotes_are_joined(void **) {
  Bytes image =
      plane(true, "IMAGE", -32, pixels,
            {{"CAMERA", "'''r0      '''"}, {"LONG", "'one &'"}, {"X", "'a/b' / c"}});
  const std::string card = "CONTINUE  'two'";
  std::fill_n(image.begin() + 9 * 80, 80, uint8_t{' '});
  const auto x = Bytes(image.begin() + 8 * 80, image.begin() + 9 * 80);
  std::fill_n(image.begin() + 8 * 80, 80, uint8_t{' '});
  std::copy(card.begin(), card.end(), image.begin() + 8 * 80);
  std::copy(x.begin(), x.end(), image.begin() + 9 * 80);
  const std::string end = "END";
  std::copy(end.begin(), end.end(), image.begin() + 10 * 80);
  const io::ImageFile file = read(joined({image, ivar_hdu}));
  assert_string_equal(file.pass.keys.text("CAMERA")->c_str(), "r0");
  assert_string_equal(file.pass.keys.text("LONG")->c_str(), "one two");
  assert_string_equal(file.pass.keys.text("X")->c_str(), "a/b");
  assert_false(file.pass.keys.text("ABSENT").has_value());
  assert_false(file.pass.keys.integer("X").has_value());
}

// Any bits, NaNs of every kind among them: BSCALE, even of 1, leads through CFITSIO.
void read_image_without_cfitsio_is_the_same(void **) {
  constexpr int64_t nx = 401;
  constexpr int64_t ny = 499;  // more than one thread's share at a time
  const ScratchDirectory scratch;
  specex_test::Random random(1);
  for (const int bitpix : {-32, -64, 32}) {
    Bytes data(static_cast<size_t>(nx * ny * std::abs(bitpix) / 8));
    for (uint8_t &byte : data) byte = static_cast<uint8_t>(random.bits());
    Bytes mask(static_cast<size_t>(nx * ny * 4));
    for (uint8_t &byte : mask) byte = static_cast<uint8_t>(random.bits() & 1);
    const auto file_with = [&](const Cards &more) {
      Bytes all;
      for (const char *name : {"IMAGE", "IVAR", "MASK"}) {
        const bool is_mask = std::strcmp(name, "MASK") == 0;
        Cards cards = image_cards(all.empty(), is_mask ? 32 : bitpix, {nx, ny}, name);
        cards.insert(cards.end(), more.begin(), more.end());
        append(all, hdu(cards, is_mask ? mask : data));
      }
      return scratch.write("preproc.fits", all);
    };
    const io::ImageFile scaled =
        io::read_image(file_with({{"BSCALE", "1"}, {"BZERO", "0"}}).c_str(), 0x01000101);
    const std::string plain_name = file_with({});
    for (const int threads : {1, 3}) {
      const io::ImageFile plain = io::read_image(plain_name.c_str(), 0x01000101, threads);
      assert_int_equal(plain.type, scaled.type);
      assert_memory_equal(plain.pixels.data(), scaled.pixels.data(),
                          scaled.pixels.size());
      assert_memory_equal(plain.ivar.data(), scaled.ivar.data(), scaled.ivar.size());
    }
  }
}

// Strides, masks, keys and the FIBERMAP come back from what write_image writes.
void write_image_is_read_back(void **) {
  const ScratchDirectory scratch;
  const Bytes table = hdu(table_cards(4, 5, 0, {{"FIBER", "J"}}, "FIBERMAP"),
                          big_endian(std::vector<int32_t>{10, 11, 12, 13, 14}));
  const io::ImageFile input = read(joined({image_hdu, ivar_hdu, table}));
  const std::vector<double> strided = {1, 2, 3, -1, 4, 5, 6e30, -1};
  const std::vector<int32_t> mask = {0, 1, 0, 0, 0, 0};
  specex_image image{};
  image.struct_size = sizeof image;
  image.type = SPECEX_FLOAT64;
  image.nx = 3;
  image.ny = 2;
  image.pixels = image.ivar = strided.data();
  image.pixels_stride = image.ivar_stride = 4;
  const specex_fits_card card = {"FLAVOR", "science", "what it is", SPECEX_CARD_TEXT, 0};
  io::Output output;
  output.input = &input.pass;
  output.cards = &card;
  output.ncard = 1;
  for (const bool float64 : {false, true}) {
    output.float64 = float64;
    const std::string name = scratch.file("out.fits.gz");
    io::write_image(name.c_str(), image, mask.data(), output);
    const io::ImageFile back = io::read_image(name.c_str(), badmask);
    assert_int_equal(back.type, float64 ? SPECEX_FLOAT64 : SPECEX_FLOAT32);
    if (float64) {
      assert_values(back.pixels, std::vector<double>{1, 2, 3, 4, 5, 6e30});
      assert_values(back.ivar, std::vector<double>{1, 0, 3, 4, 5, 6e30});
    } else {
      assert_values(back.pixels, std::vector<float>{1, 2, 3, 4, 5, 6e30F});
    }
    assert_string_equal(back.pass.keys.text("CAMERA")->c_str(), "r0");
    assert_string_equal(back.pass.keys.text("FLAVOR")->c_str(), "science");
    assert_near(*back.pass.keys.real("EXPTIME"), 900, 0);
    io::FitsFile fibermap("fibermap", back.pass.fibermap.clone());
    assert_true(fibermap.read_integers(fibermap.require_table("FIBERMAP"), "FIBER") ==
                (std::vector<int64_t>{10, 11, 12, 13, 14}));
  }
}

// So many pixels that several threads write them.
void write_image_with_threads_is_read_back(void **) {
  constexpr size_t count = 300 * 400;
  const ScratchDirectory scratch;
  const std::string name = scratch.file("out.fits");
  specex_test::Random random(2);
  std::vector<float> values(count);
  std::vector<int32_t> mask(count);
  for (float &value : values) value = static_cast<float>(random.normal());
  for (int32_t &bits : mask) bits = static_cast<int32_t>(random.bits());
  specex_image image{};
  image.type = SPECEX_FLOAT32;
  image.nx = image.pixels_stride = image.ivar_stride = 300;
  image.ny = 400;
  image.pixels = image.ivar = values.data();
  io::Output output;
  output.threads = 3;
  io::write_image(name.c_str(), image, mask.data(), output);
  io::FitsFile file(name.c_str());
  std::vector<float> back(count);
  for (const char *hdu : {"IMAGE", "IVAR"}) {
    file.read_pixels(file.require_image(hdu), back.data());
    assert_memory_equal(back.data(), values.data(), count * sizeof(float));
  }
  std::vector<uint32_t> bits(count);
  file.read_bits(file.require_image("MASK"), bits.data());
  assert_memory_equal(bits.data(), mask.data(), count * sizeof(int32_t));
}

void write_image_wrong_arguments_are_refused(void **) {
  const ScratchDirectory scratch;
  const std::string name = scratch.file("out.fits");
  specex_image good{};
  good.type = SPECEX_FLOAT32;
  good.nx = good.pixels_stride = 3;
  good.ny = 2;
  good.pixels = pixels.data();
  const auto refused_image = [&name](const specex_image &image) {
    expect_error(SPECEX_ERROR_ARGUMENT, "image",
                 [&] { io::write_image(name.c_str(), image, nullptr, io::Output{}); });
  };
  for (const int64_t wrong : {int64_t{0}, int64_t{-1}, int64_t{1} << 40}) {
    specex_image image = good;
    image.nx = wrong;
    refused_image(image);
    image = good;
    image.ny = wrong;
    refused_image(image);
  }
  specex_image image = good;
  image.type = 3;
  refused_image(image);
  image = good;
  image.pixels = nullptr;
  refused_image(image);
  image = good;
  image.pixels_stride = 2;
  refused_image(image);
  image = good;
  image.ivar = pixels.data();
  image.ivar_stride = 2;
  refused_image(image);
  assert_true(scratch.names().empty());
  io::write_image(name.c_str(), good, nullptr, io::Output{});
  expect_error(SPECEX_ERROR_FORMAT, "IVAR", [&] { io::read_image(name.c_str(), 0); });
}

void write_image_value_too_large_for_float32_is_refused(void **) {
  const ScratchDirectory scratch;
  const std::vector<double> large(6, 1e300);
  specex_image image{};
  image.type = SPECEX_FLOAT64;
  image.nx = image.pixels_stride = 3;
  image.ny = 2;
  image.pixels = large.data();
  expect_error(SPECEX_ERROR_ARGUMENT, "float64", [&] {
    io::write_image(scratch.file("out.fits").c_str(), image, nullptr, io::Output{});
  });
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(read_image_float32_stays_float32),
      cmocka_unit_test(read_image_float64_stays_float64),
      cmocka_unit_test(read_image_integers_are_scaled),
      cmocka_unit_test(read_image_blank_and_nan_pixels_are_nan),
      cmocka_unit_test(read_image_bad_mask_bits_clear_ivar),
      cmocka_unit_test(read_image_mask_of_any_integer_type_is_read),
      cmocka_unit_test(read_image_compressed_mask_is_read),
      cmocka_unit_test(read_image_compressed_planes_after_an_empty_primary_are_read),
      cmocka_unit_test(read_image_in_an_extension_is_found),
      cmocka_unit_test(read_image_missing_parts_are_named),
      cmocka_unit_test(read_image_long_strings_and_quotes_are_joined),
      cmocka_unit_test(read_image_without_cfitsio_is_the_same),
      cmocka_unit_test(write_image_is_read_back),
      cmocka_unit_test(write_image_with_threads_is_read_back),
      cmocka_unit_test(write_image_wrong_arguments_are_refused),
      cmocka_unit_test(write_image_value_too_large_for_float32_is_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
