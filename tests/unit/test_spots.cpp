// SPDX-License-Identifier: BSD-3-Clause
#include <cmath>
#include <numeric>
#include <vector>

#include "kernels/shared/gauss_hermite.hpp"
#include "kernels/shared/spot_model.hpp"
#include "kernels/shared/spot_table.hpp"
#include "support/cmocka.hpp"
#include "support/synthetic_case.hpp"

namespace {

using specex_test::CaseSpec;
using specex_test::PsfTables;

constexpr double wave = 6010.0;

struct Spot {
  specex::Corner corner;
  std::vector<double> values;
};

Spot spot(PsfTables &tables, int fiber = 0, double at = wave) {
  const specex::Psf psf = specex::copy_psf(*tables.view());
  const auto model = specex::make_spot_model(psf);
  Spot result{{},
              std::vector<double>(static_cast<size_t>(psf.spot_nx() * psf.spot_ny()))};
  result.corner = model->evaluate(fiber, at, result.values.data());
  return result;
}

double sum(const Spot &s) {
  return std::accumulate(s.values.begin(), s.values.end(), 0.0);
}

void set_trace(PsfTables &tables, double x, double y) {
  for (int fiber = 0; fiber < tables.psf.nspec; ++fiber) {
    const auto first = static_cast<size_t>(3 * fiber);
    tables.xtrace[first] = x;
    tables.ytrace[first] = y;
    for (size_t k = 1; k < 3; ++k)
      tables.xtrace[first + k] = tables.ytrace[first + k] = 0.0;
  }
}

void spots_everywhere_are_not_negative_and_sum_to_1(void **) {
  for (const bool tails : {false, true}) {
    PsfTables tables = specex_test::make_psf({.tails = tails});
    for (int fiber = 0; fiber < tables.psf.nspec; ++fiber)
      for (int w = -10; w < 50; ++w) {
        const Spot s = spot(tables, fiber, 6000.0 + 0.77 * w);
        for (const double value : s.values) assert_true(value >= 0.0);
        assert_near(sum(s), 1.0, 1e-14);
      }
  }
}

void spots_corner_is_the_nearest_pixel_less_the_half_size(void **) {
  PsfTables tables = specex_test::make_psf({});
  const struct {
    double position;
    int pixel;
  } cases[] = {{20.0, 20},  {20.49, 20}, {20.5, 21},  {-0.5, 0},
               {-0.51, -1}, {-3.2, -3},  {-30.7, -31}};
  for (const auto &c : cases) {
    set_trace(tables, c.position, c.position + 7.0);
    const Spot s = spot(tables);
    assert_int_equal(s.corner.x, c.pixel - tables.psf.hsizex);
    assert_int_equal(s.corner.y, c.pixel + 7 - tables.psf.hsizey);
  }
}

void spots_far_or_undefined_traces_have_corners_that_integers_hold(void **) {
  PsfTables tables = specex_test::make_psf({});
  for (const double position : {1e12, -1e12, 1e308, -1e308}) {
    set_trace(tables, position, -position);
    const Spot s = spot(tables);
    assert_true(std::abs(s.corner.x) <= specex::far_pixel);
    assert_true(std::abs(s.corner.y) <= specex::far_pixel);
  }
  set_trace(tables, 20.0, 20.0);
  tables.xtrace[0] = 1e308;  // the sum of the series is Inf - Inf
  tables.xtrace[1] = -1e308;
  tables.xtrace[2] = 1e308;
  const Spot s = spot(tables, 0, 1e6);
  assert_true(std::abs(s.corner.x) <= specex::far_pixel);
}

// The definition, term by term, at one position.
void spots_tail_is_added_at_pixel_centres_before_clipping(void **) {
  constexpr double dx = 0.21;
  constexpr double dy = -0.34;
  PsfTables tables = specex_test::make_psf({.tails = true});
  set_trace(tables, 30.0 + dx, 40.0 + dy);
  for (int k = 0; k < 3; ++k) {  // the Gauss-Hermite part: the core alone
    for (const char *name : {"GH-2-0", "GH-0-2", "GH-1-1", "GH-3-0", "GH-0-4"})
      tables.coefficient(name, 0)[k] = 0.0;
    tables.coefficient("GHSIGX", 0)[k] = k == 0 ? 1.15 : 0.0;
    tables.coefficient("GHSIGY", 0)[k] = k == 0 ? 1.05 : 0.0;
  }
  const Spot s = spot(tables);
  const int h = tables.psf.hsizex;
  const auto integral = [](double pixel, double sigma) {
    const double scale = sigma * std::sqrt(2.0);
    return 0.5 * (std::erf((pixel + 0.5) / scale) - std::erf((pixel - 0.5) / scale));
  };
  std::vector<double> expected;
  for (int y = -h; y <= h; ++y)
    for (int x = -h; x <= h; ++x) {
      const double r2 = std::pow((x - dx) * 1.0, 2) + std::pow((y - dy) * 0.9, 2);
      expected.push_back(integral(x - dx, 1.15) * integral(y - dy, 1.05) +
                         0.01 * r2 / std::pow(1.5 * 1.5 + r2, 1.0 + 2.2 / 2.0));
    }
  const double total = std::accumulate(expected.begin(), expected.end(), 0.0);
  for (size_t k = 0; k < expected.size(); ++k)
    assert_near(s.values[k], expected[k] / total, 1e-15);
}

void spots_incomplete_or_zero_tail_changes_nothing(void **) {
  PsfTables plain = specex_test::make_psf({});
  PsfTables partial = specex_test::make_psf({});
  partial.add_parameter("TAILAMP", 0.01);
  PsfTables zero = specex_test::make_psf({.tails = true});
  for (int fiber = 0; fiber < zero.psf.nspec; ++fiber)
    *zero.coefficient("TAILAMP", fiber) = 0.0;
  const Spot expected = spot(plain);
  assert_true(specex_test::same_bits(spot(partial).values, expected.values));
  assert_true(specex_test::same_bits(spot(zero).values, expected.values));
}

void spots_negative_pixels_are_clipped(void **) {
  PsfTables tables = specex_test::make_psf({});
  *tables.coefficient("GH-1-1", 0) = 5.0;  // a quadrupole deeper than the core
  const Spot s = spot(tables);
  int zeros = 0;
  for (const double value : s.values) {
    assert_true(value >= 0.0);
    zeros += value == 0.0 ? 1 : 0;
  }
  assert_true(zeros > 10);
  assert_near(sum(s), 1.0, 1e-14);
}

void spots_nonsense_parameters_give_a_spot_of_zeros(void **) {
  for (const double sigma : {0.0, 1e-308, 1e308, -1e308}) {
    PsfTables tables = specex_test::make_psf({});
    for (int k = 0; k < 3; ++k) tables.coefficient("GHSIGX", 0)[k] = k == 0 ? sigma : 0.0;
    const Spot s = spot(tables);
    const double total = sum(s);  // of a defined spot 1, else 0; never NaN
    assert_true(total == 0.0 || std::abs(total - 1.0) < 1e-14);
  }
  PsfTables tables = specex_test::make_psf({});
  *tables.coefficient("GH-0-0", 0) = -1.0;
  for (const char *name : {"GH-2-0", "GH-0-2", "GH-1-1", "GH-3-0", "GH-0-4"})
    for (int k = 0; k < 3; ++k) tables.coefficient(name, 0)[k] = 0.0;
  for (const double value : spot(tables).values) assert_true(value == 0.0);
}

void spots_table_and_single_evaluations_agree(void **) {
  PsfTables tables = specex_test::make_psf({});
  const specex::Psf psf = specex::copy_psf(*tables.view());
  const auto model = specex::make_spot_model(psf);
  specex::SpotTable table;
  table.evaluate(*model, psf, 6000.0, 1.5, 2, 3, -4, 9);
  std::vector<double> values(static_cast<size_t>(psf.spot_nx() * psf.spot_ny()));
  for (int fiber = 2; fiber < 5; ++fiber)
    for (int bin = -4; bin < 5; ++bin) {
      const specex::Corner corner =
          model->evaluate(fiber, 6000.0 + 1.5 * bin, values.data());
      const specex::Stamp stamp = table.stamp(fiber, bin);
      assert_int_equal(stamp.box.xmin, corner.x);
      assert_int_equal(stamp.box.ymin, corner.y);
      assert_int_equal(stamp.box.width(), psf.spot_nx());
      assert_int_equal(stamp.box.height(), psf.spot_ny());
      for (size_t k = 0; k < values.size(); ++k)
        assert_true(stamp.values[k] == values[k]);
    }
}

void spots_overlap_is_the_sum_over_shared_pixels(void **) {
  const double a[] = {1, 2, 3, 4};
  const double b[] = {5, 6, 7, 8};
  const specex::Stamp first{{10, 12, 20, 22}, a};
  const specex::Stamp second{{11, 13, 21, 23}, b};
  const specex::Stamp apart{{12, 14, 20, 22}, b};
  assert_near(specex::overlap(first, second), 4.0 * 5.0, 0.0);
  assert_near(specex::overlap(first, first), 30.0, 0.0);
  assert_near(specex::overlap(first, apart), 0.0, 0.0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(spots_everywhere_are_not_negative_and_sum_to_1),
      cmocka_unit_test(spots_corner_is_the_nearest_pixel_less_the_half_size),
      cmocka_unit_test(spots_far_or_undefined_traces_have_corners_that_integers_hold),
      cmocka_unit_test(spots_tail_is_added_at_pixel_centres_before_clipping),
      cmocka_unit_test(spots_incomplete_or_zero_tail_changes_nothing),
      cmocka_unit_test(spots_negative_pixels_are_clipped),
      cmocka_unit_test(spots_nonsense_parameters_give_a_spot_of_zeros),
      cmocka_unit_test(spots_table_and_single_evaluations_agree),
      cmocka_unit_test(spots_overlap_is_the_sum_over_shared_pixels),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
