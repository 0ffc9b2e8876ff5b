// SPDX-License-Identifier: BSD-3-Clause
#include "io/read_psf.hpp"

#include "io/write_psf.hpp"
#include "support/cmocka.hpp"
#include "support/expect_error.hpp"
#include "support/raw_fits.hpp"
#include "support/scratch_directory.hpp"

using namespace specex;
using namespace specex::test;

namespace {

// Two fibres; three trace coefficients; parameters of two coefficients.
const std::vector<double> xtrace = {1, 2, 3, 4, 5, 6};
const std::vector<double> ytrace = {10, 20, 30, 40, 50, 60};

Cards trace_cards(bool primary, const char *name) {
  Cards cards = image_cards(primary, -64, {3, 2}, name);
  cards.emplace_back("WAVEMIN", primary ? "5543.0" : "5544.");
  cards.emplace_back("WAVEMAX", "7.826D3");
  return cards;
}

Cards parameter_cards() {
  Cards cards = table_cards(8 + 4 * 8, 3, 0, {{"PARAM", "8A"}, {"COEFF", "4D"}}, "PSF");
  for (const auto &card : Cards{{"TDIM2", "'(2,2)'"},
                                {"PSFTYPE", "'GAUSS-HERMITE'"},
                                {"PSFVER", "'3       '"},
                                {"HSIZEX", "8"},
                                {"HSIZEY", "5"},
                                {"LEGDEG", "1"},
                                {"GHDEGX", "6"},
                                {"GHDEGY", "4"},
                                {"WAVEMIN", "5543"},
                                {"WAVEMAX", "7827"},
                                {"NPIX_X", "199"},
                                {"NPIX_Y", "559"}})
    cards.push_back(card);
  return cards;
}

Bytes parameter_rows() {
  Bytes rows;
  double value = 0.5;
  for (const std::string name : {"GHSIGX  ", "GHSIGY  ", "GH-0-0  "}) {
    rows.insert(rows.end(), name.begin(), name.end());
    for (int i = 0; i < 4; ++i) append(rows, big_endian(std::vector<double>{value++}));
  }
  return rows;
}

struct Parts {
  Cards x = trace_cards(true, "XTRACE");
  Cards y = trace_cards(false, "YTRACE");
  Cards parameters = parameter_cards();

  Bytes file() const {
    Bytes bytes = hdu(x, big_endian(xtrace));
    append(bytes, hdu(y, big_endian(ytrace)));
    append(bytes, hdu(parameters, parameter_rows()));
    return bytes;
  }
};

io::PsfFile read(const Bytes &bytes) {
  const ScratchDirectory scratch;
  return io::read_psf(scratch.write("psf.fits", bytes).c_str());
}

void refused(const Parts &parts, specex_status status, const std::string &part) {
  expect_error(status, part, [&parts] { read(parts.file()); });
}

void read_psf_version_3_is_read_whole(void **) {
  const io::PsfFile file = read(Parts{}.file());
  const specex_psf &psf = file.psf;
  assert_int_equal(psf.struct_size, sizeof psf);
  assert_int_equal(psf.kind, SPECEX_PSF_GAUSS_HERMITE);
  assert_int_equal(psf.nspec, 2);
  assert_int_equal(psf.nx, 199);
  assert_int_equal(psf.ny, 559);
  assert_int_equal(psf.hsizex, 8);
  assert_int_equal(psf.hsizey, 5);
  assert_int_equal(psf.ghdegx, 6);
  assert_int_equal(psf.ghdegy, 4);
  assert_near(psf.xtrace_wavemin, 5543, 0);
  assert_near(psf.ytrace_wavemin, 5544, 0);
  assert_near(psf.ytrace_wavemax, 7826, 0);
  assert_near(psf.wavemax, 7827, 0);
  assert_int_equal(psf.xtrace_ncoef, 3);
  assert_int_equal(psf.ytrace_ncoef, 3);
  assert_int_equal(psf.nparam, 3);
  assert_int_equal(psf.ncoef, 2);
  assert_near(psf.xtrace[5], 6, 0);
  assert_near(psf.ytrace[3], 40, 0);
  assert_string_equal(psf.param_names[2], "GH-0-0");
  assert_near(psf.params[0], 0.5, 0);
  assert_near(psf.params[11], 11.5, 0);
  assert_near(psf.psferr, 0, 0);
}

void read_psf_error_is_found_under_both_names(void **) {
  Parts parts;
  parts.parameters.emplace_back("PSFERROR", "0.04");
  assert_near(read(parts.file()).psf.psferr, 0.04, 0);
  parts.parameters.emplace_back("PSFERR", "0.02");
  assert_near(read(parts.file()).psf.psferr, 0.02, 0);
  Parts first;
  first.x.emplace_back("PSFERR", "0.03");
  assert_near(read(first.file()).psf.psferr, 0.03, 0);
}

void read_psf_other_kinds_are_named(void **) {
  for (const char *type :
       {"'GAUSS-HERMITE2'", "'SPOTGRID'", "'PCA-PIX'", "'MONOSPOT'", "'unheard of'"}) {
    Parts parts;
    parts.parameters = with(parts.parameters, "PSFTYPE", type);
    const std::string name = type;
    refused(parts, SPECEX_ERROR_UNSUPPORTED, name.substr(1, name.size() - 2));
  }
  for (const char *version : {"'2'", "1", "4", "'x'"}) {
    Parts parts;
    parts.parameters = with(parts.parameters, "PSFVER", version);
    refused(parts, SPECEX_ERROR_UNSUPPORTED, "GAUSS-HERMITE version");
  }
  Parts none;
  none.parameters = without(none.parameters, "PSFVER");
  refused(none, SPECEX_ERROR_UNSUPPORTED, "(none)");
  none.parameters = without(none.parameters, "PSFTYPE");
  refused(none, SPECEX_ERROR_FORMAT, "not a PSF file");
  none.x.emplace_back("PSFTYPE", "'SPOTGRID'");
  refused(none, SPECEX_ERROR_UNSUPPORTED, "SPOTGRID");
}

void read_psf_missing_keywords_are_named(void **) {
  for (const char *name :
       {"HSIZEX", "HSIZEY", "LEGDEG", "GHDEGX", "GHDEGY", "WAVEMIN", "WAVEMAX"}) {
    Parts parts;
    parts.parameters = without(parts.parameters, name);
    refused(parts, SPECEX_ERROR_FORMAT, std::string("HDU 2 (PSF) lacks the "));
    refused(parts, SPECEX_ERROR_FORMAT, name);
  }
  for (const char *name : {"WAVEMIN", "WAVEMAX"}) {
    Parts parts;
    parts.x = without(parts.x, name);
    refused(parts, SPECEX_ERROR_FORMAT,
            std::string("HDU 0 (XTRACE) lacks the keyword ") + name);
    Parts other;
    other.y = without(other.y, name);
    refused(other, SPECEX_ERROR_FORMAT,
            std::string("HDU 1 (YTRACE) lacks the keyword ") + name);
  }
}

void read_psf_illegal_values_are_named(void **) {
  for (const char *name : {"HSIZEX", "HSIZEY", "LEGDEG", "GHDEGX", "GHDEGY"})
    for (const char *value :
         {"-1", "1000000", "NaN", "1.5", "'x'", "99999999999999999999"}) {
      Parts parts;
      parts.parameters = with(parts.parameters, name, value);
      refused(parts, SPECEX_ERROR_FORMAT, name);
    }
  for (const char *value : {"NaN", "Inf", "-Inf", "1e999", "T", "8000", "7827"}) {
    Parts parts;
    parts.parameters = with(parts.parameters, "WAVEMIN", value);
    refused(parts, SPECEX_ERROR_FORMAT, "WAVEMIN");
  }
}

void read_psf_missing_hdus_are_named(void **) {
  Parts parts;
  parts.x = with(parts.x, "EXTNAME", "'XX'");
  refused(parts, SPECEX_ERROR_FORMAT, "no HDU named XTRACE");
  parts = Parts{};
  parts.y = with(parts.y, "EXTNAME", "'XX'");
  refused(parts, SPECEX_ERROR_FORMAT, "no HDU named YTRACE");
  parts = Parts{};
  parts.x.emplace_back("PSFTYPE", "'GAUSS-HERMITE'");
  parts.x.emplace_back("PSFVER", "3");
  parts.parameters = with(parts.parameters, "EXTNAME", "'XX'");
  refused(parts, SPECEX_ERROR_FORMAT, "no HDU named PSF");
  parts.y = with(parts.y, "EXTNAME", "'PSF'");
  refused(parts, SPECEX_ERROR_FORMAT, "");
}

void read_psf_wrong_dimensions_are_named(void **) {
  Parts parts;
  parts.parameters = with(parts.parameters, "LEGDEG", "2");
  refused(parts, SPECEX_ERROR_FORMAT, "COEFF");
  parts = Parts{};
  parts.parameters = with(parts.parameters, "TDIM2", "'(4,1)'");
  refused(parts, SPECEX_ERROR_FORMAT, "COEFF");
  parts = Parts{};
  parts.parameters = with(parts.parameters, "TTYPE2", "'OTHER'");
  refused(parts, SPECEX_ERROR_FORMAT, "no column COEFF");
  parts = Parts{};
  parts.parameters = with(parts.parameters, "TTYPE1", "'OTHER'");
  refused(parts, SPECEX_ERROR_FORMAT, "no column PARAM");
  for (const char *form : {"1D", "8B", "2J"}) {  // CFITSIO prints these, too long
    parts = Parts{};
    parts.parameters = with(parts.parameters, "TFORM1", text(form));
    refused(parts, SPECEX_ERROR_FORMAT, "PARAM");
  }
  parts = Parts{};
  parts.y = with(with(parts.y, "NAXIS1", "2"), "NAXIS2", "3");
  refused(parts, SPECEX_ERROR_FORMAT, "XTRACE has 2 fibres, but YTRACE has 3");
  parts = Parts{};
  parts.x = without(with(parts.x, "NAXIS", "1"), "NAXIS2");
  refused(parts, SPECEX_ERROR_FORMAT, "fibres x coefficients");
  parts = Parts{};
  parts.parameters = without(parts.parameters, "TDIM2");
  assert_int_equal(read(parts.file()).psf.ncoef, 2);
}

void write_psf_is_read_back(void **) {
  const ScratchDirectory scratch;
  const io::PsfFile file = read(Parts{}.file());
  specex_psf psf = file.psf;
  psf.psferr = 0.015625;
  const std::string name = scratch.file("psf.fits");
  const specex_fits_card card = {"CAMERA", "r0", nullptr, SPECEX_CARD_TEXT, 0};
  io::Output output;
  output.cards = &card;
  output.ncard = 1;
  io::write_psf(name.c_str(), psf, output);
  const io::PsfFile back = io::read_psf(name.c_str());
  assert_true(back.xtrace == file.xtrace);
  assert_true(back.ytrace == file.ytrace);
  assert_true(back.params == file.params);
  assert_true(back.names == file.names);
  assert_near(back.psf.psferr, 0.015625, 0);
  assert_near(back.psf.ytrace_wavemin, 5544, 0);
  assert_near(back.psf.wavemax, 7827, 0);
  assert_int_equal(back.psf.nx, 199);
  assert_int_equal(back.psf.ghdegy, 4);
  assert_int_equal(back.psf.hsizex, 8);
  assert_string_equal(back.pass.keys.text("CAMERA")->c_str(), "r0");
}

void write_psf_wrong_arguments_are_refused(void **) {
  const ScratchDirectory scratch;
  const io::PsfFile file = read(Parts{}.file());
  const auto refused_psf = [&](specex_psf psf, specex_status status, const char *part) {
    expect_error(status, part, [&] {
      io::write_psf(scratch.file("psf.fits").c_str(), psf, io::Output{});
    });
  };
  specex_psf psf = file.psf;
  psf.kind = 7;
  refused_psf(psf, SPECEX_ERROR_UNSUPPORTED, "kind 7");
  psf = file.psf;
  psf.nspec = 0;
  refused_psf(psf, SPECEX_ERROR_ARGUMENT, "size");
  psf = file.psf;
  psf.ncoef = psf.nparam = psf.nspec = 1 << 16;
  refused_psf(psf, SPECEX_ERROR_ARGUMENT, "size");
  psf = file.psf;
  psf.params = nullptr;
  refused_psf(psf, SPECEX_ERROR_ARGUMENT, "NULL");
  const char *const names[] = {"A", nullptr, "C"};
  psf = file.psf;
  psf.param_names = names;
  refused_psf(psf, SPECEX_ERROR_ARGUMENT, "NULL");
  const specex_fits_card card = {"WAVEMIN", "1", nullptr, SPECEX_CARD_REAL, 0};
  io::Output output;
  output.cards = &card;
  output.ncard = 1;
  expect_error(SPECEX_ERROR_ARGUMENT, "WAVEMIN", [&] {
    io::write_psf(scratch.file("psf.fits").c_str(), file.psf, output);
  });
  assert_true(scratch.names().empty());
}

std::string psf_of_specex() {
  const char *directory = std::getenv("SPECEX_REFERENCE_DIR");
  return std::string(directory != nullptr ? directory : ".") + "/r-plain-psf.fits";
}

// The PSFs that specex fitted, where they are at hand.
void read_psf_of_specex_is_read(void **) {
  // skip() is a jump: nothing that owns memory may be alive there.
  if (!std::filesystem::exists(psf_of_specex())) {
    print_message("skipped: there is no %s\n", psf_of_specex().c_str());
    skip();
  }
  const std::string name = psf_of_specex();
  const io::PsfFile file = io::read_psf(name.c_str());
  assert_int_equal(file.psf.nspec, 25);
  assert_int_equal(file.psf.nparam, 59);
  assert_int_equal(file.psf.ncoef, 4);
  assert_near(file.psf.xtrace_wavemax, 7826, 0);
  assert_near(file.psf.wavemax, 7827, 0);
  assert_string_equal(file.psf.param_names[58], "CONT");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(read_psf_version_3_is_read_whole),
      cmocka_unit_test(read_psf_error_is_found_under_both_names),
      cmocka_unit_test(read_psf_other_kinds_are_named),
      cmocka_unit_test(read_psf_missing_keywords_are_named),
      cmocka_unit_test(read_psf_illegal_values_are_named),
      cmocka_unit_test(read_psf_missing_hdus_are_named),
      cmocka_unit_test(read_psf_wrong_dimensions_are_named),
      cmocka_unit_test(write_psf_is_read_back),
      cmocka_unit_test(write_psf_wrong_arguments_are_refused),
      cmocka_unit_test(read_psf_of_specex_is_read),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
