// SPDX-License-Identifier: BSD-3-Clause
#include "model/plan.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

#include "base/error.hpp"
#include "model/grid.hpp"
#include "support/cmocka.hpp"
#include "support/expect_error.hpp"
#include "support/synthetic_case.hpp"

namespace {

using specex::Division;
using specex::Psf;

Psf straight_psf(int nspec = 10) {
  specex_test::PsfTables tables = specex_test::make_psf({.nspec = nspec, .nwave = 60});
  return specex::copy_psf(*tables.view());
}

specex_grid grid_of(int64_t nwave) {
  specex_grid grid{};
  grid.struct_size = sizeof grid;
  grid.wavemin = 6000.0;
  grid.wavestep = 1.0;
  grid.nwave = nwave;
  return grid;
}

constexpr Division usual{.bundlesize = 5,
                         .nsubbundles = 2,
                         .nwavestep = 20,
                         .wavepad = 4,
                         .pixpad_frac = 0.8,
                         .literal = false};

specex_status status_of(const Psf &psf, const specex_grid &grid, int first, int nspec) {
  try {
    specex::make_plan(psf, grid, usual, first, nspec);
  } catch (const specex::Error &error) {
    return error.status();
  }
  return SPECEX_OK;
}

void plan_every_bin_of_every_fibre_is_in_exactly_one_core(void **) {
  const Psf psf = straight_psf(13);
  for (const int nsubbundles : {1, 2, 3, 4, 5, 50})
    for (const int nwavestep : {1, 7, 20, 60, 500}) {
      Division division = usual;
      division.nsubbundles = nsubbundles;
      division.nwavestep = nwavestep;
      const auto plan = specex::make_plan(psf, grid_of(53), division, 0, 13);
      std::multiset<std::pair<int, int>> covered;
      for (const specex_patch &patch : plan)
        for (int i = 0; i < patch.nfiber; ++i)
          for (int j = 0; j < patch.nkeep; ++j)
            covered.emplace(patch.first_fiber + i, patch.first_bin + j);
      assert_int_equal(covered.size(), 13 * 53);
      for (int i = 0; i < 13; ++i)
        for (int j = 0; j < 53; ++j) assert_int_equal(covered.count({i, j}), 1);
    }
}

void plan_uneven_splits_put_larger_parts_first(void **) {
  Division division = usual;
  division.nsubbundles = 3;
  const auto plan = specex::make_plan(straight_psf(), grid_of(20), division, 0, 5);
  assert_int_equal(plan.size(), 3);
  const int sizes[] = {2, 2, 1};
  for (size_t k = 0; k < 3; ++k) assert_int_equal(plan[k].nfiber, sizes[k]);
}

void plan_neighbours_are_padding_inside_the_bundle_only(void **) {
  Division division = usual;
  division.nsubbundles = 5;
  const auto plan = specex::make_plan(straight_psf(), grid_of(20), division, 0, 10);
  assert_int_equal(plan.size(), 10);
  for (int fiber = 0; fiber < 10; ++fiber) {
    const specex_patch &patch = plan[static_cast<size_t>(fiber)];
    const int bundle = fiber / 5 * 5;
    assert_int_equal(patch.first_bundle_fiber, bundle);
    assert_int_equal(patch.first_fiber, fiber);
    assert_int_equal(patch.nfiber, 1);
    assert_int_equal(patch.pad_first_fiber, std::max(fiber - 1, bundle));
    assert_int_equal(patch.pad_first_fiber + patch.pad_nfiber,
                     std::min(fiber + 2, bundle + 5));
  }
}

// Whatever range is asked for, a fibre's patch is the same.
void plan_bundles_are_anchored_at_absolute_fibres(void **) {
  const Psf psf = straight_psf(13);
  const auto whole = specex::make_plan(psf, grid_of(40), usual, 0, 13);
  for (int first = 0; first < 13; ++first)
    for (int nspec = 1; nspec <= 13 - first; ++nspec)
      for (const specex_patch &patch :
           specex::make_plan(psf, grid_of(40), usual, first, nspec)) {
        assert_true(patch.first_fiber < first + nspec);
        assert_true(patch.first_fiber + patch.nfiber > first);
        assert_true(std::any_of(whole.begin(), whole.end(), [&](const auto &other) {
          return std::memcmp(&patch, &other, sizeof patch) == 0;
        }));
      }
}

void plan_last_bundle_may_be_short(void **) {
  const auto plan = specex::make_plan(straight_psf(11), grid_of(20), usual, 10, 1);
  assert_int_equal(plan.size(), 1);
  assert_int_equal(plan[0].first_bundle_fiber, 10);
  assert_int_equal(plan[0].nfiber, 1);
  assert_int_equal(plan[0].pad_nfiber, 1);
}

void plan_patches_are_of_one_size(void **) {
  Division division = usual;
  const auto plan = specex::make_plan(straight_psf(), grid_of(45), division, 0, 2);
  assert_int_equal(plan.size(), 3);
  for (const specex_patch &patch : plan) {
    assert_int_equal(patch.nbin, 20);
    assert_int_equal(patch.pad_nbin, 28);
  }
  assert_int_equal(plan[2].first_bin, 40);
  assert_int_equal(plan[2].nkeep, 5);
  assert_int_equal(plan[2].pad_first_bin, 36);

  // On a grid shorter than a step, the compatible mode keeps the step all the same.
  const auto cut = specex::make_plan(straight_psf(), grid_of(12), division, 0, 2);
  assert_int_equal(cut[0].nbin, 12);
  division.literal = true;
  const auto literal = specex::make_plan(straight_psf(), grid_of(12), division, 0, 2);
  assert_int_equal(literal.size(), 1);
  assert_int_equal(literal[0].nbin, 20);
  assert_int_equal(literal[0].nkeep, 12);
}

// Rows of a single straight fibre, computed here by the printed formula.
void plan_rows_follow_the_printed_formula(void **) {
  specex_test::PsfTables tables = specex_test::make_psf({.nspec = 1, .nwave = 60});
  tables.ytrace[2] = 0.0;
  const Psf psf = specex::copy_psf(*tables.view());
  const auto corner = [&](int bin) {
    const double wave = 6000.0 + bin;
    return static_cast<int>(std::floor(psf.ytrace.at(0, wave) - psf.hsizey + 0.5));
  };
  for (const double fraction : {0.0, 0.5, 0.8, 1.0}) {
    Division division = usual;
    division.pixpad_frac = fraction;
    const auto plan = specex::make_plan(psf, grid_of(60), division, 0, 1);
    for (const specex_patch &patch : plan) {
      const int pad_low = corner(patch.pad_first_bin);
      const int low = corner(patch.first_bin);
      const int high = corner(patch.first_bin + patch.nbin - 1) + psf.spot_ny();
      const int pad_high =
          corner(patch.pad_first_bin + patch.pad_nbin - 1) + psf.spot_ny();
      assert_int_equal(
          patch.ymin,
          pad_low + static_cast<int>(std::floor((low - pad_low) * (1.0 - fraction))));
      assert_int_equal(patch.ymax,
                       pad_low + static_cast<int>(std::floor(
                                     (high - pad_low) + (pad_high - high) * fraction)));
    }
  }
}

// 1 - 0.8 is just below 0.2: a difference of 10 rows gives 1, not 2.
void plan_rows_are_cut_in_literal_doubles(void **) {
  specex_test::PsfTables tables = specex_test::make_psf({.nspec = 1, .nwave = 60});
  const double half = 0.5 * (tables.psf.ytrace_wavemax - tables.psf.ytrace_wavemin);
  tables.ytrace = {200.25, 2.0 * half, 0.0};  // 2 rows a bin exactly
  Division division = usual;
  division.wavepad = 5;  // 10 rows
  const auto plan =
      specex::make_plan(specex::copy_psf(*tables.view()), grid_of(60), division, 0, 1);
  division.pixpad_frac = 1.0;
  const auto all =
      specex::make_plan(specex::copy_psf(*tables.view()), grid_of(60), division, 0, 1);
  for (size_t k = 0; k < plan.size(); ++k) {
    assert_int_equal(plan[k].ymin, all[k].ymin + 1);
    assert_int_equal(plan[k].ymax, all[k].ymax - 2);
  }
}

void plan_columns_are_the_full_extent_of_the_padding(void **) {
  const Psf psf = straight_psf();
  for (const specex_patch &patch : specex::make_plan(psf, grid_of(60), usual, 0, 10)) {
    int low = specex::far_pixel;
    int high = -specex::far_pixel;
    for (int i = 0; i < patch.pad_nfiber; ++i)
      for (int j = 0; j < patch.pad_nbin; ++j) {
        const double x =
            psf.xtrace.at(patch.pad_first_fiber + i, 6000.0 + patch.pad_first_bin + j);
        low = std::min(low, specex::spot_corner(psf, x, 0.0).x);
        high = std::max(high, specex::spot_corner(psf, x, 0.0).x + psf.spot_nx());
      }
    assert_int_equal(patch.xmin, low);
    assert_int_equal(patch.xmax, high);
  }
}

void plan_ranges_outside_the_psf_are_refused(void **) {
  const Psf psf = straight_psf();
  assert_int_equal(status_of(psf, grid_of(20), -1, 2), SPECEX_ERROR_RANGE);
  assert_int_equal(status_of(psf, grid_of(20), 0, 0), SPECEX_ERROR_RANGE);
  assert_int_equal(status_of(psf, grid_of(20), 0, 11), SPECEX_ERROR_RANGE);
  assert_int_equal(status_of(psf, grid_of(20), 10, 1), SPECEX_ERROR_RANGE);
  assert_int_equal(status_of(psf, grid_of(20), INT32_MAX, 1), SPECEX_ERROR_RANGE);
  assert_int_equal(status_of(psf, grid_of(20), 1, INT32_MAX), SPECEX_ERROR_RANGE);
  assert_int_equal(status_of(psf, grid_of(0), 0, 1), SPECEX_ERROR_ARGUMENT);
  assert_int_equal(status_of(psf, grid_of(1 << 20), 0, 1), SPECEX_ERROR_RANGE);
}

void plan_coverage_allows_one_percent_beyond_the_psf(void **) {
  const Psf psf = straight_psf();
  const double slack = 0.01 * (psf.wavemax() - psf.wavemin());
  specex_grid grid = grid_of(2);
  grid.wavemin = psf.wavemin() - 0.99 * slack;
  assert_int_equal(status_of(psf, grid, 0, 1), SPECEX_OK);
  grid.wavemin = psf.wavemin() - 1.01 * slack;
  assert_int_equal(status_of(psf, grid, 0, 1), SPECEX_ERROR_RANGE);
  grid.wavemin = psf.wavemax() - 1.0 + 0.99 * slack;
  assert_int_equal(status_of(psf, grid, 0, 1), SPECEX_OK);
  grid.wavemin = psf.wavemax() - 1.0 + 1.01 * slack;
  assert_int_equal(status_of(psf, grid, 0, 1), SPECEX_ERROR_RANGE);
}

void plan_grid_counts_as_arange_does(void **) {
  // numpy.arange(5760, 7620 + 0.4, 0.8) has 2326 elements, and so on for b and z.
  assert_int_equal(specex::grid_from_range(5760, 7620, 0.8).nwave, 2326);
  assert_int_equal(specex::grid_from_range(3600, 5800, 0.8).nwave, 2751);
  assert_int_equal(specex::grid_from_range(7520, 9824, 0.8).nwave, 2881);
  assert_int_equal(specex::grid_from_range(5000, 5000, 0.8).nwave, 1);
  assert_int_equal(specex::grid_from_range(5000, 5010.5, 1.0).nwave, 11);
  assert_near(specex::wavelength(specex::grid_from_range(5760, 7620, 0.8), 2325), 7620.0,
              1e-9);
}

// Before any memory is taken for it.
void plan_of_enormous_patches_or_numbers_is_refused(void **) {
  const Psf psf = straight_psf(20);
  specex_grid grid = grid_of(int64_t{1} << 22);
  grid.wavestep = 1e-6;
  Division division = usual;
  const auto refused = [&](const char *part) {
    specex::test::expect_error(SPECEX_ERROR_ARGUMENT, part,
                               [&] { specex::make_plan(psf, grid, division, 0, 20); });
  };
  division.bundlesize = 20;
  division.nsubbundles = 1;
  division.nwavestep = 1 << 22;
  refused("bins would be solved together");
  division.nsubbundles = 20;
  division.nwavestep = 1;
  refused("patches would be needed");
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(plan_every_bin_of_every_fibre_is_in_exactly_one_core),
      cmocka_unit_test(plan_uneven_splits_put_larger_parts_first),
      cmocka_unit_test(plan_neighbours_are_padding_inside_the_bundle_only),
      cmocka_unit_test(plan_bundles_are_anchored_at_absolute_fibres),
      cmocka_unit_test(plan_last_bundle_may_be_short),
      cmocka_unit_test(plan_patches_are_of_one_size),
      cmocka_unit_test(plan_rows_follow_the_printed_formula),
      cmocka_unit_test(plan_rows_are_cut_in_literal_doubles),
      cmocka_unit_test(plan_columns_are_the_full_extent_of_the_padding),
      cmocka_unit_test(plan_ranges_outside_the_psf_are_refused),
      cmocka_unit_test(plan_coverage_allows_one_percent_beyond_the_psf),
      cmocka_unit_test(plan_grid_counts_as_arange_does),
      cmocka_unit_test(plan_of_enormous_patches_or_numbers_is_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
