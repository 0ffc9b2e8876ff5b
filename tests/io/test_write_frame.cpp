// SPDX-License-Identifier: BSD-3-Clause
#include "io/write_frame.hpp"

#include <cmath>
#include <limits>
#include <random>

#include "io/read_fibermap.hpp"
#include "io/read_frame.hpp"
#include "io/read_image.hpp"
#include "io/scores.hpp"
#include "support/cmocka.hpp"
#include "support/expect_error.hpp"
#include "support/raw_fits.hpp"
#include "support/scratch_directory.hpp"

using namespace specex;
using namespace specex::test;

namespace {

// A frame of 3 fibres from fibre 1 on, 4 bins and 5 diagonals.
struct Arrays {
  std::vector<double> wavelength = {6000, 6000.5, 6001, 6001.5};
  std::vector<double> flux, ivar, resolution, chi2pix, pixmask_fraction;
  std::vector<int32_t> mask;
  specex_frame frame{};

  Arrays() {
    std::mt19937 random(1);
    const auto fill = [&random](std::vector<double> &values, size_t count) {
      std::uniform_real_distribution<double> uniform(0.1, 10);
      for (size_t i = 0; i < count; ++i) values.push_back(uniform(random));
    };
    fill(flux, 12);
    fill(ivar, 12);
    fill(chi2pix, 12);
    fill(pixmask_fraction, 12);
    fill(resolution, 60);
    mask = {0, INT32_MIN, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    frame.struct_size = sizeof frame;
    frame.first_fiber = 1;
    frame.nspec = 3;
    frame.nwave = 4;
    frame.ndiag = 5;
    frame.wavelength = wavelength.data();
    frame.flux = flux.data();
    frame.ivar = ivar.data();
    frame.resolution = resolution.data();
    frame.chi2pix = chi2pix.data();
    frame.pixmask_fraction = pixmask_fraction.data();
    frame.mask = mask.data();
  }
  Arrays(const Arrays &) = delete;
  Arrays &operator=(const Arrays &) = delete;
};

Bytes fibermap(int64_t nrow) {
  Bytes rows;
  for (int64_t i = 0; i < nrow; ++i) {
    append(rows, big_endian(std::vector<int64_t>{100 + i}));
    const std::string type = i % 2 ? "SKY" : "TGT";
    rows.insert(rows.end(), type.begin(), type.end());
  }
  Cards cards =
      table_cards(11, nrow, 0, {{"TARGETID", "K"}, {"OBJTYPE", "3A"}}, "FIBERMAP");
  cards.emplace_back("TUNIT1", "'none'");
  return hdu(cards, rows);
}

// What a preproc file with so many FIBERMAP rows hands on.
io::PassThrough input(const ScratchDirectory &scratch, const Bytes &more) {
  Cards cards = image_cards(true, -32, {1, 1}, "IMAGE");
  for (const auto &card : Cards{{"CAMERA", "'r0'"},
                                {"FLAVOR", "'wrong'"},
                                {"BUNIT", "'counts'"},
                                {"NSPEC", "999"},
                                {"DATASUM", "'0'"},
                                {"EXTVER", "7"}})
    cards.push_back(card);
  Bytes bytes = hdu(without(cards, "DATASUM"), Bytes(4));
  append(bytes, hdu(image_cards(false, -32, {1, 1}, "IVAR"), Bytes(4)));
  append(bytes, more);
  return io::read_image(scratch.write("preproc.fits", bytes).c_str(), 0).pass;
}

const std::string long_text = [] {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "abc ";
  return text + "end";
}();

const std::vector<specex_fits_card> cards = {
    {"FLAVOR", "science", "what it is", SPECEX_CARD_TEXT, 0},
    {"HELIOCOR", "1.00001", nullptr, SPECEX_CARD_REAL, 0},
    {"EXPID", "12", nullptr, SPECEX_CARD_INTEGER, 0},
    {"GOOD", "T", nullptr, SPECEX_CARD_LOGICAL, 0},
    {"LONGTEXT", long_text.c_str(), nullptr, SPECEX_CARD_TEXT, 0},
    {"HISTORY", "made by a test", nullptr, SPECEX_CARD_TEXT, 0},
    {"COMMENT", "of no use", nullptr, SPECEX_CARD_TEXT, 0},
};

io::Output output_with(const io::PassThrough *pass) {
  io::Output output;
  output.input = pass;
  output.cards = cards.data();
  output.ncard = static_cast<int64_t>(cards.size());
  output.scores = true;
  return output;
}

std::vector<int64_t> target_ids(const io::PassThrough &pass) {
  io::FitsFile file("fibermap", pass.fibermap.clone());
  return file.read_integers(file.require_table("FIBERMAP"), "TARGETID");
}

std::vector<std::string> hdu_names(const std::string &name) {
  const io::FitsFile file(name.c_str());
  std::vector<std::string> names;
  for (const io::Hdu &each : file.hdus()) names.push_back(each.name);
  return names;
}

void assert_arrays(const double *got, const std::vector<double> &expected, double bound) {
  for (size_t i = 0; i < expected.size(); ++i)
    assert_near(got[i], expected[i], bound * expected[i]);
}

void write_frame_is_read_back(void **) {
  const ScratchDirectory scratch;
  const Arrays arrays;
  for (const bool float64 : {false, true}) {
    io::Output output = output_with(nullptr);
    output.float64 = float64;
    const std::string name = scratch.file("frame.fits");
    io::write_frame(name.c_str(), arrays.frame, output);
    const io::FrameFile back = io::read_frame(name.c_str());
    const double bound = float64 ? 0 : 6e-8;
    assert_int_equal(back.frame.nspec, 3);
    assert_int_equal(back.frame.nwave, 4);
    assert_int_equal(back.frame.ndiag, 5);
    assert_int_equal(back.frame.first_fiber, 1);
    assert_arrays(back.frame.wavelength, arrays.wavelength, 0);
    assert_arrays(back.frame.flux, arrays.flux, bound);
    assert_arrays(back.frame.ivar, arrays.ivar, bound);
    assert_arrays(back.frame.resolution, arrays.resolution, bound);
    assert_arrays(back.frame.chi2pix, arrays.chi2pix, bound);
    assert_arrays(back.frame.pixmask_fraction, arrays.pixmask_fraction, bound);
    assert_memory_equal(back.frame.mask, arrays.mask.data(), 12 * sizeof(int32_t));
    assert_null(back.frame.model);
  }
}

void write_frame_hdus_are_in_order(void **) {
  const ScratchDirectory scratch;
  const Arrays arrays;
  const io::PassThrough pass = input(scratch, fibermap(3));
  const std::string name = scratch.file("frame.fits");
  io::write_frame(name.c_str(), arrays.frame, output_with(&pass));
  const std::vector<std::string> expected = {
      "FLUX",       "IVAR",     "MASK",    "WAVELENGTH",
      "RESOLUTION", "FIBERMAP", "CHI2PIX", "PIXMASK_FRACTION",
      "SCORES"};
  assert_true(hdu_names(name) == expected);
}

void write_frame_keys_are_passed_through(void **) {
  const ScratchDirectory scratch;
  const Arrays arrays;
  const io::PassThrough pass = input(scratch, {});
  const std::string name = scratch.file("frame.fits");
  io::write_frame(name.c_str(), arrays.frame, output_with(&pass));
  const io::FitsFile file(name.c_str());
  const io::Header &header = file.hdus().front().header;
  assert_string_equal(header.text("CAMERA")->c_str(), "r0");
  assert_string_equal(header.text("FLAVOR")->c_str(), "science");
  assert_string_equal(header.text("BUNIT")->c_str(), "electron/Angstrom");
  assert_string_equal(header.text("EXTNAME")->c_str(), "FLUX");
  assert_string_equal(header.text("LONGTEXT")->c_str(), long_text.c_str());
  assert_int_equal(*header.integer("NSPEC"), 3);
  assert_int_equal(*header.integer("EXPID"), 12);
  assert_true(header.is_true("GOOD"));
  assert_near(*header.real("HELIOCOR"), 1.00001, 0);
  assert_near(*header.real("WAVEMIN"), 6000, 0);
  assert_near(*header.real("WAVEMAX"), 6001.5, 0);
  assert_near(*header.real("WAVESTEP"), 0.5, 0);
  for (const char *single : {"FLAVOR", "NSPEC", "EXTNAME", "BITPIX", "NAXIS1", "HISTORY"})
    assert_int_equal(header.count(single), 1);
  assert_int_equal(header.count("EXTVER"), 0);
}

// A key that is replaced takes its continuation with it.
void write_frame_long_key_is_replaced_whole(void **) {
  const ScratchDirectory scratch;
  const Arrays arrays;
  const std::string name = scratch.file("frame.fits");
  io::write_frame(name.c_str(), arrays.frame, output_with(nullptr));
  const io::FrameFile first = io::read_frame(name.c_str());
  specex_fits_card card = {"LONGTEXT", "short", nullptr, SPECEX_CARD_TEXT, 0};
  io::Output output;
  output.input = &first.pass;
  output.cards = &card;
  output.ncard = 1;
  io::write_frame(name.c_str(), arrays.frame, output);
  const io::FrameFile second = io::read_frame(name.c_str());
  assert_string_equal(second.pass.keys.text("LONGTEXT")->c_str(), "short");
  assert_int_equal(second.pass.keys.count("CONTINUE"), 0);
  assert_int_equal(second.pass.keys.count("LONGTEXT"), 1);
}

void write_frame_cards_override_its_own_keys(void **) {
  const ScratchDirectory scratch;
  const Arrays arrays;
  const std::vector<specex_fits_card> own = {
      {"BUNIT", "photon", nullptr, SPECEX_CARD_TEXT, 0},
      {"WAVEMIN", "5999", nullptr, SPECEX_CARD_REAL, 0},
      {"FIBERMIN", "501", nullptr, SPECEX_CARD_INTEGER, 0}};
  io::Output output;
  output.cards = own.data();
  output.ncard = 3;
  const std::string name = scratch.file("frame.fits");
  io::write_frame(name.c_str(), arrays.frame, output);
  const io::FrameFile back = io::read_frame(name.c_str());
  assert_string_equal(back.pass.keys.text("BUNIT")->c_str(), "photon");
  assert_near(*back.pass.keys.real("WAVEMIN"), 5999, 0);
  assert_int_equal(back.frame.first_fiber, 501);
  assert_int_equal(back.pass.keys.count("WAVEMIN"), 1);
}

void write_frame_fibermap_rows_are_its_fibres(void **) {
  const ScratchDirectory scratch;
  const Arrays arrays;
  const std::string name = scratch.file("frame.fits");
  const auto written = [&](int64_t nrow) {
    const io::PassThrough pass = input(scratch, fibermap(nrow));
    io::write_frame(name.c_str(), arrays.frame, output_with(&pass));
    return io::read_frame(name.c_str());
  };
  assert_true(target_ids(written(3).pass) == (std::vector<int64_t>{100, 101, 102}));
  assert_true(target_ids(written(4).pass) == (std::vector<int64_t>{101, 102, 103}));
  assert_true(target_ids(written(9).pass) == (std::vector<int64_t>{101, 102, 103}));
  assert_int_equal(written(2).pass.fibermap.size(), 0);
  io::FitsFile file(name.c_str());
  const io::Hdu &scores = file.require_table("SCORES");
  assert_int_equal(file.find_column(scores, "TARGETID").number, 0);
}

void write_frame_fibermap_of_another_file_is_taken(void **) {
  const ScratchDirectory scratch;
  const Arrays arrays;
  Bytes bytes = hdu(image_cards(true, 8, {}, ""));
  append(bytes, fibermap(9));
  const io::PassThrough other =
      io::read_fibermap(scratch.write("fibermap.fits", bytes).c_str()).pass;
  const io::PassThrough pass = input(scratch, fibermap(3));
  io::Output output = output_with(&pass);
  output.fibermap = &other;
  const std::string name = scratch.file("frame.fits");
  io::write_frame(name.c_str(), arrays.frame, output);
  assert_true(target_ids(io::read_frame(name.c_str()).pass) ==
              (std::vector<int64_t>{101, 102, 103}));
  const io::PassThrough two = input(scratch, fibermap(2));
  output.fibermap = &two;
  expect_error(SPECEX_ERROR_FORMAT, "FIBERMAP has 2 rows",
               [&] { io::write_frame(name.c_str(), arrays.frame, output); });
}

void write_frame_fibermap_with_arrays_is_kept(void **) {
  const ScratchDirectory scratch;
  const Arrays arrays;
  Bytes data = big_endian(std::vector<int32_t>{1, 0, 1, 4, 1, 8, 1, 12});
  append(data, big_endian(std::vector<int32_t>{7, 8, 9, 10}));
  const Bytes table = hdu(table_cards(8, 4, 16, {{"V", "PJ(1)"}}, "FIBERMAP"), data);
  const io::PassThrough pass = input(scratch, table);
  const std::string name = scratch.file("frame.fits");
  io::write_frame(name.c_str(), arrays.frame, output_with(&pass));
  const io::FitsFile file(name.c_str());
  assert_int_equal(file.require_table("FIBERMAP").nrow, 3);
}

void write_frame_absent_arrays_are_left_out(void **) {
  const ScratchDirectory scratch;
  const Arrays arrays;
  specex_frame frame = arrays.frame;
  frame.ivar = frame.chi2pix = frame.pixmask_fraction = frame.resolution = nullptr;
  frame.mask = nullptr;
  const std::string name = scratch.file("truth.fits.gz");
  io::write_frame(name.c_str(), frame, io::Output{});
  assert_true(hdu_names(name) == (std::vector<std::string>{"FLUX", "WAVELENGTH"}));
  const io::FrameFile back = io::read_frame(name.c_str());
  assert_null(back.frame.ivar);
  assert_null(back.frame.mask);
  assert_int_equal(back.frame.ndiag, 0);
  assert_arrays(back.frame.flux, arrays.flux, 6e-8);
  frame.wavelength = nullptr;
  io::write_frame(name.c_str(), frame, io::Output{});
  assert_true(hdu_names(name) == std::vector<std::string>{"FLUX"});
}

void write_frame_same_input_gives_same_bytes(void **) {
  const ScratchDirectory scratch;
  const Arrays arrays;
  const io::PassThrough pass = input(scratch, fibermap(9));
  for (const char *name : {"a.fits", "b.fits"})
    io::write_frame(scratch.file(name).c_str(), arrays.frame, output_with(&pass));
  assert_true(read_bytes(scratch.file("a.fits")) == read_bytes(scratch.file("b.fits")));
}

void write_frame_wrong_arguments_are_refused(void **) {
  const ScratchDirectory scratch;
  const Arrays arrays;
  const auto refused_frame = [&scratch](const specex_frame &frame, const char *part,
                                        specex_status status = SPECEX_ERROR_ARGUMENT) {
    io::Output output;
    output.scores = true;
    expect_error(status, part, [&] {
      io::write_frame(scratch.file("frame.fits").c_str(), frame, output);
    });
  };
  specex_frame frame = arrays.frame;
  frame.nspec = 0;
  refused_frame(frame, "nspec");
  frame = arrays.frame;
  frame.nwave = -4;
  refused_frame(frame, "nwave");
  frame = arrays.frame;
  frame.nwave = int64_t{1} << 29;
  refused_frame(frame, "more than", SPECEX_ERROR_LIMIT);
  frame = arrays.frame;
  frame.first_fiber = -1;
  refused_frame(frame, "first_fiber");
  frame = arrays.frame;
  frame.flux = nullptr;
  refused_frame(frame, "flux");
  frame = arrays.frame;
  frame.memory = SPECEX_MEMORY_DEVICE;
  refused_frame(frame, "host memory");
  frame = arrays.frame;
  frame.ndiag = 0;
  refused_frame(frame, "ndiag");
  frame = arrays.frame;
  frame.ivar = nullptr;
  refused_frame(frame, "scores");
  for (const double wrong : {std::numeric_limits<double>::infinity(),
                             std::numeric_limits<double>::quiet_NaN()}) {
    Arrays spoilt;
    spoilt.frame.wavelength[0] = wrong;
    refused_frame(spoilt.frame, "WAVEMIN");
  }
  assert_true(scratch.names().empty());
}

void write_frame_wrong_cards_are_refused(void **) {
  const ScratchDirectory scratch;
  const Arrays arrays;
  const auto refused_card = [&](const specex_fits_card &card) {
    io::Output output;
    output.cards = &card;
    output.ncard = 1;
    expect_error(SPECEX_ERROR_ARGUMENT, "output.cards[0]", [&] {
      io::write_frame(scratch.file("frame.fits").c_str(), arrays.frame, output);
    });
  };
  for (const char *name : {"", "lower", "TOOLONGNAME", "A B", "A=B", "BITPIX", "NAXIS3",
                           "TFORM12", "CHECKSUM", "END", "EXTNAME"})
    refused_card({name, "1", nullptr, SPECEX_CARD_INTEGER, 0});
  refused_card({nullptr, "1", nullptr, SPECEX_CARD_INTEGER, 0});
  refused_card({"A", nullptr, nullptr, SPECEX_CARD_INTEGER, 0});
  refused_card({"A", "1.5", nullptr, SPECEX_CARD_INTEGER, 0});
  refused_card({"A", "1,5", nullptr, SPECEX_CARD_REAL, 0});
  refused_card({"A", "nan", nullptr, SPECEX_CARD_REAL, 0});
  refused_card({"A", "true", nullptr, SPECEX_CARD_LOGICAL, 0});
  refused_card({"A", "two\nlines", nullptr, SPECEX_CARD_TEXT, 0});
  refused_card({"A", "x", "caf\xc3\xa9", SPECEX_CARD_TEXT, 0});
  refused_card({"A", "1", nullptr, 9, 0});
  io::Output output;
  output.ncard = 1;
  expect_error(SPECEX_ERROR_ARGUMENT, "output.cards is NULL", [&] {
    io::write_frame(scratch.file("frame.fits").c_str(), arrays.frame, output);
  });
  output.ncard = -1;
  expect_error(SPECEX_ERROR_ARGUMENT, "output.ncard", [&] {
    io::write_frame(scratch.file("frame.fits").c_str(), arrays.frame, output);
  });
}

void read_frame_wrong_shapes_are_refused(void **) {
  const ScratchDirectory scratch;
  const Bytes flux = hdu(image_cards(true, -64, {4, 3}, "FLUX"), Bytes(96));
  const Bytes wave = hdu(image_cards(false, -64, {4}, "WAVELENGTH"), Bytes(32));
  const auto refused_frame = [&](const std::vector<Bytes> &parts, const char *part) {
    Bytes bytes;
    for (const Bytes &each : parts) append(bytes, each);
    const std::string name = scratch.write("frame.fits", bytes);
    expect_error(SPECEX_ERROR_FORMAT, part, [&] { io::read_frame(name.c_str()); });
  };
  const auto plane = [](const char *name, const std::vector<int64_t> &axes) {
    return hdu(image_cards(false, -64, axes, name), Bytes(480));
  };
  refused_frame({flux}, "WAVELENGTH");
  refused_frame({hdu(image_cards(true, -64, {0, 3}, "FLUX")),
                 hdu(image_cards(false, -64, {0}, "WAVELENGTH"))},
                "has pixels");
  refused_frame({hdu(image_cards(true, -64, {4}, "FLUX"), Bytes(32)), wave}, "two axes");
  refused_frame({flux, hdu(image_cards(false, -64, {5}, "WAVELENGTH"), Bytes(40))},
                "WAVELENGTH) is 5");
  refused_frame({flux, wave, hdu(image_cards(false, -64, {3, 4}, "IVAR"), Bytes(96))},
                "IVAR) is 4 x 3");
  refused_frame({flux, wave, hdu(image_cards(false, 32, {4, 2}, "MASK"), Bytes(32))},
                "MASK");
  refused_frame({flux, wave, plane("RESOLUTION", {4, 5, 3}), plane("MODEL", {60})},
                "MODEL");
  refused_frame(
      {flux, wave, hdu(image_cards(false, -64, {4, 3}, "RESOLUTION"), Bytes(96))},
      "RESOLUTION");
  const Bytes far =
      hdu(with(image_cards(true, -64, {4, 3}, "FLUX"), "FIBERMIN", "-5"), Bytes(96));
  refused_frame({far, wave}, "FIBERMIN");
}

void scores_bands_are_those_of_the_cameras(void **) {
  for (const auto &[first, band] :
       {std::pair{3600.0, ""}, std::pair{4500.0, "B"}, std::pair{6500.0, "R"},
        std::pair{9000.0, "Z"}, std::pair{9900.0, ""}}) {
    Arrays arrays;
    for (size_t i = 0; i < 4; ++i) arrays.wavelength[i] = first + static_cast<double>(i);
    const io::Scores scores = io::compute_scores(arrays.frame);
    assert_string_equal(scores.band.c_str(), band);
    assert_int_equal(scores.sum.size(), *band ? 3 : 0);
  }
}

// By hand: bins of width 2 inside the band, the first one below it.
void scores_are_sums_and_medians_in_the_band(void **) {
  std::vector<double> wave = {5799, 5801, 5803, 5805};
  std::vector<double> flux = {100, 8, 2, 4};
  std::vector<double> ivar = {1, 0.25, 4, -1};
  specex_frame frame{};
  frame.nspec = 1;
  frame.nwave = 4;
  frame.wavelength = wave.data();
  frame.flux = flux.data();
  frame.ivar = ivar.data();
  const io::Scores scores = io::compute_scores(frame);
  assert_string_equal(scores.band.c_str(), "R");
  assert_near(scores.sum[0], 14, 0);
  assert_near(scores.median[0], 2, 1e-15);
  assert_near(scores.median_snr[0], 4 / std::sqrt(2.0), 1e-15);
  frame.nwave = 3;
  assert_near(io::compute_scores(frame).median[0], 2.5, 1e-15);
}

void write_frame_without_a_band_has_no_scores(void **) {
  const ScratchDirectory scratch;
  Arrays arrays;
  for (double &wave : arrays.wavelength) wave -= 2500;
  const std::string name = scratch.file("frame.fits");
  io::write_frame(name.c_str(), arrays.frame, output_with(nullptr));
  const io::FitsFile file(name.c_str());
  assert_null(file.find("SCORES"));
}

void write_frame_is_what_astropy_expects(void **) {
  if (std::system("/usr/bin/env -i /usr/bin/python3 -c 'import astropy' 2>/dev/null") !=
      0) {
    print_message("skipped: there is no astropy to check with\n");
    skip();  // a jump: nothing that owns memory may be alive here
  }
  const ScratchDirectory scratch;
  const Arrays arrays;
  const io::PassThrough pass = input(scratch, fibermap(9));
  for (const bool float64 : {false, true}) {
    io::Output output = output_with(&pass);
    output.float64 = float64;
    const std::string name = scratch.file("frame.fits");
    io::write_frame(name.c_str(), arrays.frame, output);
    const std::string command = "/usr/bin/env -i /usr/bin/python3 " SPECEX_TEST_DIR
                                "/io/check_frame.py " +
                                name + (float64 ? " f8" : " f4");
    assert_int_equal(std::system(command.c_str()), 0);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(write_frame_is_read_back),
      cmocka_unit_test(write_frame_hdus_are_in_order),
      cmocka_unit_test(write_frame_keys_are_passed_through),
      cmocka_unit_test(write_frame_long_key_is_replaced_whole),
      cmocka_unit_test(write_frame_cards_override_its_own_keys),
      cmocka_unit_test(write_frame_fibermap_rows_are_its_fibres),
      cmocka_unit_test(write_frame_fibermap_of_another_file_is_taken),
      cmocka_unit_test(write_frame_fibermap_with_arrays_is_kept),
      cmocka_unit_test(write_frame_absent_arrays_are_left_out),
      cmocka_unit_test(write_frame_same_input_gives_same_bytes),
      cmocka_unit_test(write_frame_wrong_arguments_are_refused),
      cmocka_unit_test(write_frame_wrong_cards_are_refused),
      cmocka_unit_test(read_frame_wrong_shapes_are_refused),
      cmocka_unit_test(scores_bands_are_those_of_the_cameras),
      cmocka_unit_test(scores_are_sums_and_medians_in_the_band),
      cmocka_unit_test(write_frame_without_a_band_has_no_scores),
      cmocka_unit_test(write_frame_is_what_astropy_expects),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
