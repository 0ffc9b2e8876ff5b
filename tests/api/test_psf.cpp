// SPDX-License-Identifier: BSD-3-Clause
//
// specex_set_psf, specex_get_psf_info and specex_trace.
#include <specex/specex.h>

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>
#include <vector>

#include "support/cmocka.hpp"
#include "support/synthetic_case.hpp"

namespace {

using specex_test::Case;
using specex_test::Context;
using specex_test::Frame;
using specex_test::PsfTables;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();

specex_psf_info info_of(specex_context *context) {
  specex_psf_info info{};
  info.struct_size = sizeof info;
  assert_status(specex_get_psf_info(context, &info), SPECEX_OK);
  return info;
}

void psf_info_tells_sizes_and_the_common_range(void **) {
  PsfTables tables = specex_test::make_psf({.nspec = 7, .hsizex = 5, .hsizey = 3});
  tables.psf.nx = 100;
  tables.psf.ny = 200;
  const Context context(specex_test::small_options(), tables.view());
  const specex_psf_info info = info_of(context);
  assert_int_equal(info.nspec, 7);
  assert_int_equal(info.ndiag, 7);
  assert_int_equal(info.spot_nx, 11);
  assert_int_equal(info.spot_ny, 7);
  assert_int_equal(info.nx, 100);
  assert_int_equal(info.ny, 200);
  const specex_psf &psf = tables.psf;
  assert_near(info.wavemin,
              std::max({psf.wavemin, psf.xtrace_wavemin, psf.ytrace_wavemin}), 0.0);
  assert_near(info.wavemax,
              std::min({psf.wavemax, psf.xtrace_wavemax, psf.ytrace_wavemax}), 0.0);
}

void psf_error_comes_from_option_file_or_default(void **) {
  for (const double of_psf : {0.02, 0.0, -1.0, nan, inf})
    for (const double of_options : {-1.0, 0.0, 0.3}) {
      PsfTables tables = specex_test::make_psf({});
      tables.psf.psferr = of_psf;
      specex_options options = specex_test::small_options();
      options.psferr = of_options;
      const Context context(options, tables.view());
      const double own = of_psf > 0.0 && of_psf < 1.0 ? of_psf : 0.01;
      assert_near(info_of(context).psferr, of_options < 0.0 ? own : of_options, 0.0);
    }
}

void psf_hostile_fields_are_refused_and_the_earlier_psf_stays(void **) {
  const std::vector<std::pair<specex_status, std::function<void(specex_psf &)>>> spoil{
      {SPECEX_ERROR_VERSION, [](specex_psf &p) { p.struct_size = 0; }},
      {SPECEX_ERROR_VERSION, [](specex_psf &p) { p.struct_size -= 1; }},
      {SPECEX_ERROR_UNSUPPORTED, [](specex_psf &p) { p.kind = 0; }},
      {SPECEX_ERROR_UNSUPPORTED, [](specex_psf &p) { p.kind = 2; }},
      {SPECEX_ERROR_PSF, [](specex_psf &p) { p.nspec = 0; }},
      {SPECEX_ERROR_PSF, [](specex_psf &p) { p.nspec = -1; }},
      {SPECEX_ERROR_PSF, [](specex_psf &p) { p.nspec = INT32_MAX; }},
      {SPECEX_ERROR_PSF, [](specex_psf &p) { p.hsizex = 0; }},
      {SPECEX_ERROR_PSF, [](specex_psf &p) { p.hsizex = INT32_MAX; }},
      {SPECEX_ERROR_PSF, [](specex_psf &p) { p.hsizey = INT32_MIN; }},
      {SPECEX_ERROR_PSF, [](specex_psf &p) { p.ghdegx = -1; }},
      {SPECEX_ERROR_PSF, [](specex_psf &p) { p.ghdegy = INT32_MAX; }},
      {SPECEX_ERROR_PSF, [](specex_psf &p) { p.xtrace_ncoef = 0; }},
      {SPECEX_ERROR_PSF, [](specex_psf &p) { p.ytrace_ncoef = INT32_MAX; }},
      {SPECEX_ERROR_PSF, [](specex_psf &p) { p.ncoef = -5; }},
      {SPECEX_ERROR_PSF, [](specex_psf &p) { p.nparam = 0; }},
      {SPECEX_ERROR_PSF, [](specex_psf &p) { p.nparam = INT32_MAX; }},
      {SPECEX_ERROR_PSF, [](specex_psf &p) { p.nx = -1; }},
      {SPECEX_ERROR_PSF, [](specex_psf &p) { p.ny = INT64_MAX; }},
      {SPECEX_ERROR_PSF, [](specex_psf &p) { p.wavemin = nan; }},
      {SPECEX_ERROR_PSF, [](specex_psf &p) { p.wavemax = inf; }},
      {SPECEX_ERROR_PSF, [](specex_psf &p) { p.wavemax = p.wavemin; }},
      {SPECEX_ERROR_PSF, [](specex_psf &p) { p.xtrace_wavemin = 1e308; }},
      {SPECEX_ERROR_PSF, [](specex_psf &p) { p.ytrace_wavemax = -1.0; }},
      {SPECEX_ERROR_ARGUMENT, [](specex_psf &p) { p.xtrace = nullptr; }},
      {SPECEX_ERROR_ARGUMENT, [](specex_psf &p) { p.ytrace = nullptr; }},
      {SPECEX_ERROR_ARGUMENT, [](specex_psf &p) { p.params = nullptr; }},
      {SPECEX_ERROR_ARGUMENT, [](specex_psf &p) { p.param_names = nullptr; }},
  };
  PsfTables tables = specex_test::make_psf({});
  const Context context(specex_test::small_options(), tables.view());
  for (const auto &[expected, change] : spoil) {
    specex_psf psf = *tables.view();
    change(psf);
    assert_status(specex_set_psf(context, &psf), expected);
    assert_true(std::strlen(specex_last_error(context)) > 5);
    assert_int_equal(info_of(context).nspec, 6);
  }
  assert_status(specex_set_psf(context, nullptr), SPECEX_ERROR_ARGUMENT);
  std::vector<const char *> names(tables.names.size(), nullptr);
  specex_psf psf = *tables.view();
  psf.param_names = names.data();
  assert_status(specex_set_psf(context, &psf), SPECEX_ERROR_ARGUMENT);
}

void psf_coefficients_that_are_not_finite_are_named(void **) {
  for (const double wrong : {nan, inf, -inf}) {
    PsfTables tables = specex_test::make_psf({});
    const Context context(specex_test::small_options(), tables.view());
    tables.coefficient("GH-1-1", 4)[1] = wrong;
    assert_status(specex_set_psf(context, tables.view()), SPECEX_ERROR_PSF);
    assert_non_null(std::strstr(specex_last_error(context), "GH-1-1"));
    assert_non_null(std::strstr(specex_last_error(context), "fibre 4"));
    tables = specex_test::make_psf({});
    tables.ytrace[5] = wrong;
    assert_status(specex_set_psf(context, tables.view()), SPECEX_ERROR_PSF);
    assert_non_null(std::strstr(specex_last_error(context), "YTRACE"));
    assert_non_null(std::strstr(specex_last_error(context), "fibre 1"));
  }
}

void psf_required_parameters_are_named_when_they_lack(void **) {
  for (const char *name : {"GHSIGX", "GHSIGY", "GH-0-0"}) {
    PsfTables tables = specex_test::make_psf({});
    const Context context(specex_test::small_options());
    *std::find(tables.names.begin(), tables.names.end(), name) = "OTHER";
    assert_status(specex_set_psf(context, tables.view()), SPECEX_ERROR_PSF);
    assert_non_null(std::strstr(specex_last_error(context), name));
  }
}

void psf_tables_are_copied(void **) {
  Case c = specex_test::make_case();
  const Frame expected = specex_test::extract(c, specex_test::small_options());
  PsfTables tables = c.psf;
  const Context context(specex_test::small_options(), tables.view());
  std::fill(tables.params.begin(), tables.params.end(), nan);
  std::fill(tables.xtrace.begin(), tables.xtrace.end(), nan);
  tables.names.assign(tables.names.size(), "gone");
  Frame frame(c, 0, 6);
  const specex_image image = c.image();
  assert_status(specex_extract_frame(context, &image, &c.grid, 0, 6, frame.get()),
                SPECEX_OK);
  assert_true(specex_test::same_bits(frame, expected));
}

void psf_may_be_replaced(void **) {
  PsfTables one = specex_test::make_psf({.nspec = 3});
  PsfTables two = specex_test::make_psf({.nspec = 9});
  const Context context(specex_test::small_options(), one.view());
  assert_int_equal(info_of(context).nspec, 3);
  assert_status(specex_set_psf(context, two.view()), SPECEX_OK);
  assert_int_equal(info_of(context).nspec, 9);
}

// Whatever finite nonsense a coefficient holds, the other fibres' bundle is as it was
// and nothing is ever not finite.
void psf_finite_nonsense_in_one_fibre_harms_its_bundle_only(void **) {
  const Case c = specex_test::make_case({.nspec = 8, .nwave = 14});
  const Frame good = specex_test::extract(c, specex_test::small_options());
  const auto nwave = static_cast<size_t>(c.grid.nwave);
  for (const int32_t backend : {SPECEX_BACKEND_CPU, SPECEX_BACKEND_REFERENCE})
    for (const char *name : {"XTRACE", "YTRACE", "GHSIGX", "GH-0-0", "GH-2-0"})
      for (const double value : {0.0, -1.0, 1e5, 1e308, -1e308, 1e-308}) {
        Case spoiled = c;
        double *coefficient = std::strcmp(name, "XTRACE") == 0 ? &spoiled.psf.xtrace[0]
                              : std::strcmp(name, "YTRACE") == 0
                                  ? &spoiled.psf.ytrace[0]
                                  : spoiled.psf.coefficient(name, 0);
        coefficient[0] = value;
        coefficient[1] = value;
        specex_status status = SPECEX_OK;
        Frame frame =
            specex_test::extract(spoiled, specex_test::small_options(backend), &status);
        if (status != SPECEX_OK && status != SPECEX_PARTIAL)
          fail_msg("%s = %g: %s", name, value, specex_status_name(status));
        assert_true(frame.finite());
        if (backend == SPECEX_BACKEND_CPU)  // fibres 4 to 7 are the second bundle
          for (size_t k = 4 * nwave; k < 8 * nwave; ++k) {
            assert_true(frame.flux[k] == good.flux[k]);
            assert_true(frame.ivar[k] == good.ivar[k]);
          }
      }
}

void psf_status_marks_the_fibre(void **) {
  Case c = specex_test::make_case();
  c.psf.add_parameter("STATUS", 0.0);
  *c.psf.coefficient("STATUS", 2) = 1.0;
  const Frame frame = specex_test::extract(c, specex_test::small_options());
  for (size_t k = 0; k < frame.mask.size(); ++k)
    assert_int_equal(
        frame.mask[k] & SPECEX_MASK_BADFIBER,
        k / static_cast<size_t>(c.grid.nwave) == 2 ? SPECEX_MASK_BADFIBER : 0);
}

void psf_for_another_ccd_is_refused(void **) {
  Case c = specex_test::make_case();
  for (int axis = 0; axis < 2; ++axis) {
    PsfTables tables = c.psf;
    tables.psf.nx = c.nx + (axis == 0 ? 1 : 0);
    tables.psf.ny = c.ny + (axis == 1 ? 1 : 0);
    const Context context(specex_test::small_options(), tables.view());
    Frame frame(c, 0, 6);
    const specex_image image = c.image();
    assert_status(specex_extract_frame(context, &image, &c.grid, 0, 6, frame.get()),
                  SPECEX_ERROR_PSF);
  }
}

void psf_trace_is_the_series_and_may_be_written_in_place(void **) {
  PsfTables tables = specex_test::make_psf({});
  const Context context(specex_test::small_options(), tables.view());
  std::vector<double> wave{5990.0, 6000.0, 6017.5, 6100.0};
  std::vector<double> x(4);
  std::vector<double> y(4);
  assert_status(specex_trace(context, 3, wave.data(), 4, x.data(), y.data()), SPECEX_OK);
  const auto series = [](const double *c, double low, double high, double w) {
    const double t = 2.0 * (w - low) / (high - low) - 1.0;
    return c[0] + c[1] * t + c[2] * (1.5 * t * t - 0.5);
  };
  const specex_psf &psf = tables.psf;
  for (size_t k = 0; k < 4; ++k) {
    assert_near(
        x[k], series(&tables.xtrace[9], psf.xtrace_wavemin, psf.xtrace_wavemax, wave[k]),
        1e-11);
    assert_near(
        y[k], series(&tables.ytrace[9], psf.ytrace_wavemin, psf.ytrace_wavemax, wave[k]),
        1e-11);
  }
  std::vector<double> again = wave;
  assert_status(specex_trace(context, 3, again.data(), 4, again.data(), y.data()),
                SPECEX_OK);
  assert_true(specex_test::same_bits(again, x));
}

void psf_trace_refuses_what_it_cannot_do(void **) {
  PsfTables tables = specex_test::make_psf({});
  const Context context(specex_test::small_options(), tables.view());
  double wave = 6000.0;
  double x = 0.0;
  double y = 0.0;
  assert_status(specex_trace(context, 0, nullptr, 0, nullptr, nullptr), SPECEX_OK);
  for (const int32_t fiber : {-1, 6, INT32_MIN, INT32_MAX})
    assert_status(specex_trace(context, fiber, &wave, 1, &x, &y), SPECEX_ERROR_RANGE);
  for (const int64_t n : {int64_t{-1}, INT64_MIN, INT64_MAX})
    assert_status(specex_trace(context, 0, &wave, n, &x, &y), SPECEX_ERROR_ARGUMENT);
  assert_status(specex_trace(context, 0, nullptr, 1, &x, &y), SPECEX_ERROR_ARGUMENT);
  assert_status(specex_trace(context, 0, &wave, 1, nullptr, &y), SPECEX_ERROR_ARGUMENT);
  assert_status(specex_trace(context, 0, &wave, 1, &x, nullptr), SPECEX_ERROR_ARGUMENT);
  for (const double wrong : {nan, inf, -inf})
    assert_status(specex_trace(context, 0, &wrong, 1, &x, &y), SPECEX_ERROR_ARGUMENT);
  const double waves[] = {6000.0, 1e200};  // finite, but not what the series makes of it
  double xs[] = {-7.0, -7.0};
  assert_status(specex_trace(context, 0, waves, 2, xs, xs), SPECEX_ERROR_ARGUMENT);
  assert_non_null(std::strstr(specex_last_error(context), "wave[1]"));
  assert_near(xs[0], -7.0, 0.0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(psf_info_tells_sizes_and_the_common_range),
      cmocka_unit_test(psf_error_comes_from_option_file_or_default),
      cmocka_unit_test(psf_hostile_fields_are_refused_and_the_earlier_psf_stays),
      cmocka_unit_test(psf_coefficients_that_are_not_finite_are_named),
      cmocka_unit_test(psf_required_parameters_are_named_when_they_lack),
      cmocka_unit_test(psf_tables_are_copied),
      cmocka_unit_test(psf_may_be_replaced),
      cmocka_unit_test(psf_finite_nonsense_in_one_fibre_harms_its_bundle_only),
      cmocka_unit_test(psf_status_marks_the_fibre),
      cmocka_unit_test(psf_for_another_ccd_is_refused),
      cmocka_unit_test(psf_trace_is_the_series_and_may_be_written_in_place),
      cmocka_unit_test(psf_trace_refuses_what_it_cannot_do),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
