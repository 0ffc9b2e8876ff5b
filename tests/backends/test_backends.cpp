// SPDX-License-Identifier: BSD-3-Clause
//
// One source for every backend, named on the command line: hard cases against the
// reference backend, in both modes, within bounds that scale with the conditioning of the
// case's normal matrix; and what has to hold for any result.
#include <specex/specex.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "support/cmocka.hpp"
#include "support/random.hpp"
#include "support/synthetic_case.hpp"

namespace {

using specex_test::Case;
using specex_test::CaseSpec;
using specex_test::Frame;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();

int32_t tested_backend = SPECEX_BACKEND_CPU;

size_t at(int64_t index) { return static_cast<size_t>(index); }

// How far from singular a scenario is. The bound on differences is in sigmas for flux and
// relative for ivar; it is 1e4 roundings of the condition number of each class.
enum class Conditioning { good, weak, none };

struct Scenario {
  const char *name;
  CaseSpec spec;
  Conditioning conditioning = Conditioning::good;
  std::function<void(Case &)> spoil = [](Case &) {};
  std::function<void(specex_options &)> change = [](specex_options &) {};
};

void mask_rows(Case &c, int64_t first, int64_t end) {
  for (int64_t y = first; y < end; ++y)
    for (int64_t x = 0; x < c.nx; ++x) c.weight(y, x) = 0.0;
}

void mask_columns(Case &c, int64_t first, int64_t end) {
  for (int64_t y = 0; y < c.ny; ++y)
    for (int64_t x = first; x < end; ++x) c.weight(y, x) = 0.0;
}

// Shifts every trace, so that it runs over an edge of the CCD, and simulates again.
void shift_traces(Case &c, double dx, double dy) {
  for (size_t k = 0; k < c.psf.xtrace.size(); k += 3) {
    c.psf.xtrace[k] += dx;
    c.psf.ytrace[k] += dy;
  }
  specex_test::simulate(c);
}

std::vector<Scenario> scenarios() {
  const auto good = Conditioning::good;
  const auto weak = Conditioning::weak;
  const auto none = Conditioning::none;
  const auto keep = [](specex_options &) {};
  return {
      {"clean", {}},
      {"tails", {.tails = true}},
      {"falling traces", {.rows_per_bin = -1.5}},
      {"single fibre", {.nspec = 1}},
      {"single bin", {.nspec = 3, .nwave = 1}},
      {"no padding", {}, good, [](Case &) {}, [](specex_options &o) { o.wavepad = 0; }},
      {"regularised",
       {},
       good,
       [](Case &) {},
       [](specex_options &o) { o.regularize = 0.05; }},
      {"noise decorrelation",
       {},
       good,
       [](Case &) {},
       [](specex_options &o) { o.decorrelate = SPECEX_DECORRELATE_NOISE; }},
      {"uneven bundles",
       {.nspec = 8},
       good,
       [](Case &) {},
       [](specex_options &o) {
         o.bundlesize = 5;
         o.nsubbundles = 3;
       }},
      {"whole bundle as one patch",
       {.nspec = 4, .nwave = 20},
       good,
       [](Case &) {},
       [](specex_options &o) {
         o.nsubbundles = 1;
         o.nwavestep = 1000;
       }},
      {"masked column", {}, weak, [](Case &c) { mask_columns(c, 16, 17); }},
      {"masked rows", {}, weak, [](Case &c) { mask_rows(c, 38, 44); }},
      {"many masked rows", {}, weak, [](Case &c) { mask_rows(c, 34, 52); }},
      {"dead amplifier", {}, weak, [](Case &c) { mask_columns(c, 0, c.nx / 2); }},
      {"all masked", {}, none, [](Case &c) { mask_rows(c, 0, c.ny); }},
      {"one live pixel",
       {},
       none,
       [](Case &c) {
         const double weight = c.weight(45, 16);
         mask_rows(c, 0, c.ny);
         c.weight(45, 16) = weight;
       }},
      {"a pixel whose square overflows",
       {},
       none,
       [](Case &c) { c.pixel(45, 16) = 1e200; }},
      {"unusable pixels",
       {},
       good,
       [](Case &c) {
         c.pixel(40, 9) = nan;
         c.pixel(41, 16) = inf;
         c.pixel(42, 23) = -inf;
         c.weight(43, 9) = nan;
         c.weight(44, 16) = inf;
         c.weight(45, 23) = -1.0;
         c.pixel(46, 9) = nan;
         c.weight(46, 9) = 0.0;
       }},
      {"over the left edge", {}, weak, [](Case &c) { shift_traces(c, -9.0, 0.0); }},
      {"over the right edge", {}, weak, [](Case &c) { shift_traces(c, 9.0, 0.0); }},
      {"over the lower edge", {}, weak, [](Case &c) { shift_traces(c, 0.0, -40.0); }},
      {"over the upper edge", {}, weak, [](Case &c) { shift_traces(c, 0.0, 40.0); }},
      {"off the image", {}, none, [](Case &c) { shift_traces(c, 0.0, 1e4); }},
      {"duplicate traces",
       {},
       none,
       [](Case &c) {
         for (size_t k = 0; k < 3; ++k) {
           c.psf.xtrace[3 + k] = c.psf.xtrace[k];
           c.psf.ytrace[3 + k] = c.psf.ytrace[k];
         }
         specex_test::simulate(c);
       }},
      {"crossing traces",
       {},
       none,
       [](Case &c) {
         c.psf.xtrace[1] += 5.0;
         c.psf.xtrace[4] -= 5.0;
         specex_test::simulate(c);
       }},
      {"ivar over twelve orders of magnitude",
       {},
       weak,
       [](Case &c) {
         specex_test::Random random(9);
         for (double &weight : c.ivar) weight *= std::pow(10.0, -12.0 * random.uniform());
       },
       keep},
      {"narrow traces far apart", {.hsizex = 2, .hsizey = 2, .spacing = 12.0}},
  };
}

specex_options options_of(const Scenario &scenario, int32_t backend, int32_t compat) {
  specex_options options = specex_test::small_options(backend);
  options.compat = compat;
  scenario.change(options);
  return options;
}

// Calls check(scenario, case, options) for each scenario in each mode.
template <class Check>
void for_each_case(Check &&check) {
  for (const Scenario &scenario : scenarios())
    for (const int32_t compat : {SPECEX_COMPAT_NONE, SPECEX_COMPAT_GPU_SPECTER}) {
      Case c = specex_test::make_case(scenario.spec);
      scenario.spoil(c);
      check(scenario, c, options_of(scenario, tested_backend, compat));
    }
}

void where(const Scenario &scenario, const specex_options &options, const char *what,
           double value, double bound) {
  if (!(value <= bound))
    fail_msg("%s (%s): %s %.3g, more than %.3g", scenario.name,
             options.compat != 0 ? "compat" : "default", what, value, bound);
}

void backends_outputs_are_always_finite(void **) {
  for_each_case(
      [](const Scenario &scenario, const Case &c, const specex_options &options) {
        specex_status status = SPECEX_OK;
        const Frame frame = specex_test::extract(c, options, &status);
        where(scenario, options, "status", status, SPECEX_PARTIAL);
        where(scenario, options, "outputs not finite", frame.finite() ? 0.0 : 1.0, 0.0);
        for (size_t k = 0; k < frame.ivar.size(); ++k) {
          assert_true(frame.ivar[k] >= 0.0);
          if (options.compat == SPECEX_COMPAT_NONE)  // what was not measured says so
            assert_true((frame.ivar[k] == 0.0) ==
                        ((frame.mask[k] & SPECEX_MASK_NODATA) != 0));
        }
      });
}

void backends_agree_with_the_reference(void **) {
  for_each_case([](const Scenario &scenario, const Case &c,
                   const specex_options &options) {
    specex_status status = SPECEX_OK;
    const Frame frame = specex_test::extract(c, options, &status);
    specex_options reference = options;
    reference.backend = SPECEX_BACKEND_REFERENCE;
    specex_status expected_status = SPECEX_OK;
    const Frame expected = specex_test::extract(c, reference, &expected_status);
    assert_int_equal(status, expected_status);
    if (scenario.conditioning == Conditioning::none) return;

    // Bins that hold next to no information, relative to the best, are left out: their
    // values are rounding in the compatible mode.
    const double best = *std::max_element(expected.ivar.begin(), expected.ivar.end());
    double pull = 0.0;
    double ivar = 0.0;
    double resolution = 0.0;
    double chi2 = 0.0;
    double pixmask = 0.0;
    const auto nwave = at(c.grid.nwave);
    const auto ndiag = at(2 * c.spec.hsizey + 1);
    for (size_t k = 0; k < expected.flux.size(); ++k) {
      pixmask = std::max(
          pixmask, std::abs(frame.pixmask_fraction[k] - expected.pixmask_fraction[k]));
      if (expected.ivar[k] < 1e-9 * best || expected.pixmask_fraction[k] > 0.9) continue;
      pull = std::max(
          pull, std::abs(frame.flux[k] - expected.flux[k]) * std::sqrt(expected.ivar[k]));
      ivar = std::max(ivar, std::abs(frame.ivar[k] / expected.ivar[k] - 1.0));
      chi2 = std::max(chi2, std::abs(frame.chi2pix[k] - expected.chi2pix[k]) /
                                (1.0 + expected.chi2pix[k]));
      for (size_t d = 0; d < ndiag; ++d) {
        const size_t element = (k / nwave * ndiag + d) * nwave + k % nwave;
        resolution = std::max(resolution, std::abs(frame.resolution[element] -
                                                   expected.resolution[element]));
      }
    }
    const double bound = scenario.conditioning == Conditioning::good ? 1e-8 : 1e-6;
    // The vector path's shortcuts may cost 1e-7 of an error bar, and no more.
    where(scenario, options, "pull", pull, std::max(bound, 1e-7));
    where(scenario, options, "ivar ratio", ivar, bound);
    where(scenario, options, "resolution", resolution, bound);
    where(scenario, options, "chi2pix", chi2, 1e-6);  // from spots kept in float
    where(scenario, options, "pixmask_fraction", pixmask, 1e-12);
    double model = 0.0;
    for (size_t p = 0; p < frame.model.size(); ++p)
      model = std::max(model, std::abs(frame.model[p] - expected.model[p]) /
                                  (1.0 + std::abs(expected.model[p])));
    if (scenario.conditioning == Conditioning::good)
      where(scenario, options, "model", model, 1e-6);
  });
}

void backends_threads_give_the_same_bits(void **) {
  for_each_case([](const Scenario &, const Case &c, specex_options options) {
    specex_status status = SPECEX_OK;
    options.num_threads = 1;
    const Frame expected = specex_test::extract(c, options, &status);
    for (const int threads : {2, 3, 8}) {
      options.num_threads = threads;
      assert_true(
          specex_test::same_bits(specex_test::extract(c, options, &status), expected));
    }
  });
}

// R's rows sum to 1 by construction; what a band leaves out is small where the spots'
// wings are. A row is complete where all its columns are in the frame.
void backends_resolution_rows_sum_to_1(void **) {
  const auto check_rows = [](const Case &c, const Frame &frame, double bound) {
    const int half = c.spec.hsizey;
    const int ndiag = 2 * half + 1;
    const int nwave = static_cast<int>(c.grid.nwave);
    for (int i = 0; i < c.spec.nspec; ++i)
      for (int row = half; row < nwave - half; ++row) {
        double sum = 0.0;
        for (int column = row - half; column <= row + half; ++column)
          sum += frame.resolution[at((i * ndiag + row - column + half) * nwave + column)];
        assert_near(sum, 1.0, bound);
      }
  };
  // With room for the padding of the last patch, which the peer gives up otherwise.
  const Case c = specex_test::make_case({.margin = 48});
  for (const int32_t compat : {SPECEX_COMPAT_NONE, SPECEX_COMPAT_GPU_SPECTER}) {
    specex_options options = specex_test::small_options(tested_backend);
    options.compat = compat;
    options.wavepad = 10;
    check_rows(c, specex_test::extract(c, options), 0.01);
  }
  // Without data the even root takes R's place, and its rows sum to 1, too.
  Case dark = c;
  mask_rows(dark, 0, dark.ny);
  specex_options options = specex_test::small_options(tested_backend);
  options.wavepad = 10;
  const Frame frame = specex_test::extract(dark, options);
  check_rows(dark, frame, 0.02);
}

void backends_masked_patches_say_so(void **) {
  Case c = specex_test::make_case();
  mask_rows(c, 0, c.ny);
  const Frame frame = specex_test::extract(c, specex_test::small_options(tested_backend));
  for (size_t k = 0; k < frame.ivar.size(); ++k) {
    assert_near(frame.ivar[k], 0.0, 0.0);
    assert_near(frame.flux[k], 0.0, 0.0);
    assert_int_equal(frame.mask[k],
                     SPECEX_MASK_NODATA | SPECEX_MASK_ALLBADPIX | SPECEX_MASK_SOMEBADPIX);
  }
}

// One unusable pixel is the same as one that is declared bad: bit by bit.
void backends_unusable_pixels_equal_masked_ones(void **) {
  const Case c = specex_test::make_case();
  specex_test::Random random(5);
  for (int trial = 0; trial < 12; ++trial) {
    Case masked = c;
    Case broken = c;
    for (int k = 0; k < 5; ++k) {
      const int64_t y = random.below(static_cast<int>(c.ny));
      const int64_t x = random.below(static_cast<int>(c.nx));
      masked.weight(y, x) = 0.0;
      const double values[] = {nan, inf, -inf};
      if (random.below(2) == 0)
        broken.pixel(y, x) = values[random.below(3)];
      else
        broken.weight(y, x) = k == 0 ? -1.0 : values[random.below(3)];
    }
    const specex_options options = specex_test::small_options(tested_backend);
    assert_true(specex_test::same_bits(specex_test::extract(broken, options),
                                       specex_test::extract(masked, options)));
  }
}

// Units are the caller's: an image times 2^k gives flux times 2^k with the same bits, as
// long as the squares of its values can be represented; beyond that bins are flagged.
void backends_scale_by_powers_of_two_is_exact_or_flagged(void **) {
  const Case c = specex_test::make_case({.nwave = 14});
  const specex_options options = specex_test::small_options(tested_backend);
  const Frame expected = specex_test::extract(c, options);
  for (int k = -900; k <= 900; k += 50) {
    Case scaled = c;
    for (double &pixel : scaled.pixels) pixel = std::ldexp(pixel, k);
    for (double &weight : scaled.ivar) weight = std::ldexp(weight, -2 * k);
    specex_status status = SPECEX_OK;
    const Frame frame = specex_test::extract(scaled, options, &status);
    if (!frame.finite()) fail_msg("scale 2^%d gave outputs that are not finite", k);
    for (size_t b = 0; b < frame.flux.size(); ++b) {
      if ((frame.mask[b] & SPECEX_MASK_NODATA) != 0) {
        if (std::abs(k) <= 400) fail_msg("scale 2^%d lost bin %zu", k, b);
        assert_near(frame.ivar[b], 0.0, 0.0);
        continue;
      }
      const double pull = std::abs(std::ldexp(frame.flux[b], -k) - expected.flux[b]) *
                          std::sqrt(expected.ivar[b]);
      if (!(pull <= 1e-8)) fail_msg("scale 2^%d bin %zu: pull %.3g", k, b, pull);
    }
  }
}

// A range that reaches beyond the CCD loses no bin that is on it.
void backends_beyond_the_edge_keeps_what_is_on_the_ccd(void **) {
  Case c = specex_test::make_case({.nwave = 40});
  shift_traces(c, 0.0, -50.0);  // about 17 bins below the first row
  const Frame frame = specex_test::extract(c, specex_test::small_options(tested_backend));
  const specex_test::Context context(specex_test::small_options(), c.psf.view());
  for (int i = 0; i < c.spec.nspec; ++i)
    for (int64_t w = 0; w < c.grid.nwave; ++w) {
      const double wave = c.grid.wavemin + static_cast<double>(w) * c.grid.wavestep;
      double x = 0.0;
      double y = 0.0;
      assert_status(specex_trace(context, i, &wave, 1, &x, &y), SPECEX_OK);
      const size_t k = at(i * c.grid.nwave + w);
      if (y >= 0.0 && y < static_cast<double>(c.ny)) {
        assert_true(frame.ivar[k] > 0.0);
        assert_int_equal(frame.mask[k] & SPECEX_MASK_NODATA, 0);
      }
      if (y < -10.0) assert_true(frame.mask[k] & SPECEX_MASK_NODATA);
    }
}

}  // namespace

int main(int argc, char **argv) {
  if (specex_test::lacks_instructions()) return 77;
  const std::string name = argc > 1 ? argv[1] : "cpu";
  if (name == "reference") tested_backend = SPECEX_BACKEND_REFERENCE;
  if (name == "cuda") tested_backend = SPECEX_BACKEND_CUDA;
  if (!specex_test::has_backend(tested_backend)) return 77;
  const CMUnitTest tests[] = {
      cmocka_unit_test(backends_outputs_are_always_finite),
      cmocka_unit_test(backends_agree_with_the_reference),
      cmocka_unit_test(backends_threads_give_the_same_bits),
      cmocka_unit_test(backends_resolution_rows_sum_to_1),
      cmocka_unit_test(backends_masked_patches_say_so),
      cmocka_unit_test(backends_unusable_pixels_equal_masked_ones),
      cmocka_unit_test(backends_scale_by_powers_of_two_is_exact_or_flagged),
      cmocka_unit_test(backends_beyond_the_edge_keeps_what_is_on_the_ccd),
  };
  return cmocka_run_group_tests_name(name.c_str(), tests, nullptr, nullptr);
}
