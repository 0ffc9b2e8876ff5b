// SPDX-License-Identifier: BSD-3-Clause
//
// The cuts of long patches: integers only.
#include "kernels/shared/windows.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "model/plan.hpp"
#include "support/cmocka.hpp"
#include "support/synthetic_case.hpp"

namespace {

using specex::Division;
using specex::Psf;
using specex::Window;

constexpr int longest_whole = 192;  // bins, as windows.cpp has it

Psf psf_for(int nwave, double rows_per_bin = 1.5) {
  return specex::copy_psf(
      *specex_test::make_psf({.nspec = 3, .nwave = nwave, .rows_per_bin = rows_per_bin})
           .view());
}

std::vector<specex_patch> plan(const Psf &psf, int nwave, int nwavestep) {
  specex_grid grid{};
  grid.struct_size = sizeof grid;
  grid.wavemin = 6000.0;
  grid.wavestep = 1.0;
  grid.nwave = nwave;
  const Division division{.bundlesize = 3,
                          .nsubbundles = 1,
                          .nwavestep = nwavestep,
                          .wavepad = 12,
                          .pixpad_frac = 0.8,
                          .literal = false};
  return specex::make_plan(psf, grid, division, 0, 3);
}

std::vector<Window> cut(const Psf &psf, const specex_patch &patch,
                        const specex::Rules &rules = {}) {
  std::vector<Window> windows;
  specex::cut_into_windows(rules, psf, 7, patch, windows);
  return windows;
}

// Of all that may differ; the struct has bytes that mean nothing.
bool same(const specex_patch &a, const specex_patch &b) {
  const auto key = [](const specex_patch &p) {
    return std::tuple(p.first_fiber, p.nfiber, p.first_bin, p.nbin, p.nkeep,
                      p.pad_first_bin, p.pad_nbin, p.xmin, p.xmax, p.ymin, p.ymax);
  };
  return key(a) == key(b);
}

int core_end(const specex_patch &patch) { return patch.first_bin + patch.nbin; }
int pad_end(const specex_patch &patch) { return patch.pad_first_bin + patch.pad_nbin; }

// Parts follow each other, answer for every core bin of the whole once, stay in it, and
// agree with it in all that is not bins.
void require_parts_of(const specex_patch &whole, const std::vector<specex_patch> &parts) {
  assert_true(!parts.empty());
  int next = whole.first_bin;
  int nkeep = 0;
  for (const specex_patch &part : parts) {
    assert_int_equal(part.first_bin, next);
    assert_true(part.nbin > 0);
    assert_true(part.pad_first_bin <= part.first_bin && core_end(part) <= pad_end(part));
    assert_true(part.pad_first_bin >= whole.pad_first_bin);
    assert_true(pad_end(part) <= pad_end(whole));
    // Bins that count come first.
    assert_true(part.nkeep == part.nbin || nkeep + part.nkeep == whole.nkeep);
    assert_int_equal(part.first_fiber, whole.first_fiber);
    assert_int_equal(part.pad_nfiber, whole.pad_nfiber);
    assert_int_equal(part.xmin, whole.xmin);
    assert_int_equal(part.ymin, whole.ymin);
    assert_int_equal(part.ymax, whole.ymax);
    next = core_end(part);
    nkeep += part.nkeep;
  }
  assert_int_equal(next, core_end(whole));
  assert_int_equal(nkeep, whole.nkeep);
}

std::vector<specex_patch> shapes(const std::vector<Window> &windows) {
  std::vector<specex_patch> result;
  for (const Window &window : windows) result.push_back(window.shape);
  return result;
}

// Calls check(psf, patch) for patches of all lengths, the last of a grid among them.
template <class Check>
void for_each_patch(Check &&check) {
  for (const double rows_per_bin : {1.5, -1.5, 0.5, 0.01})
    for (const int nwave : {1, 50, 168, 169, 193, 230, 600, 1800, 2326, 5000}) {
      const Psf psf = psf_for(nwave, rows_per_bin);
      for (const int nwavestep : {nwave, 250, 7})
        for (const specex_patch &patch : plan(psf, nwave, nwavestep)) check(psf, patch);
    }
}

void windows_cover_each_core_bin_once(void **) {
  for_each_patch([](const Psf &psf, const specex_patch &patch) {
    const std::vector<Window> windows = cut(psf, patch);
    require_parts_of(patch, shapes(windows));
    for (const Window &window : windows) assert_int_equal(window.patch, 7);
  });
}

void windows_short_patches_stay_whole(void **) {
  for_each_patch([](const Psf &psf, const specex_patch &patch) {
    const std::vector<Window> windows = cut(psf, patch);
    const bool whole = windows.size() == 1 && windows[0].whole;
    assert_int_equal(whole, patch.pad_nbin <= longest_whole);
    if (!whole) return;
    assert_true(same(windows[0].shape, patch));
    assert_false(windows[0].cut_low || windows[0].cut_high);
  });
}

void windows_are_of_one_length_and_overlap_by_their_padding(void **) {
  for_each_patch([](const Psf &psf, const specex_patch &patch) {
    const int padding = specex::window_padding(psf, patch);
    const std::vector<Window> windows = cut(psf, patch);
    for (size_t k = 0; k < windows.size(); ++k) {
      const specex_patch &own = windows[k].shape;
      assert_int_equal(own.pad_nbin, windows[0].shape.pad_nbin);
      assert_int_equal(windows[k].cut_low, own.pad_first_bin > patch.pad_first_bin);
      assert_int_equal(windows[k].cut_high, pad_end(own) < pad_end(patch));
      // No bin that a window answers for is close to a cut.
      if (windows[k].cut_low) assert_true(own.first_bin - own.pad_first_bin >= padding);
      if (windows[k].cut_high) assert_true(pad_end(own) - core_end(own) >= padding);
      if (k > 0 && windows[k].cut_low)
        assert_true(pad_end(windows[k - 1].shape) - own.pad_first_bin >= 2 * padding);
    }
  });
}

// As many as there are lanes, so that one group has all of a bundle that is not too long.
void windows_fill_lanes(void **) {
  for (const auto &[nwave, count] :
       std::vector<std::pair<int, int>>{{600, 8}, {3500, 8}, {3700, 16}, {6100, 24}}) {
    const Psf psf = psf_for(nwave);
    assert_int_equal(cut(psf, plan(psf, nwave, nwave)[0]).size(), count);
  }
}

void windows_are_not_made_where_the_rules_ask_for_the_patch(void **) {
  const Psf psf = psf_for(2000);
  const specex_patch patch = plan(psf, 2000, 2000)[0];
  assert_true(cut(psf, patch).size() > 1);
  for (const specex::Rules &rules :
       {specex::Rules{.compat = true}, specex::Rules{.noise = true}}) {
    const std::vector<Window> windows = cut(psf, patch, rules);
    assert_int_equal(windows.size(), 1);
    assert_true(windows[0].whole);
    assert_true(same(windows[0].shape, patch));
  }
}

void windows_padding_counts_spots(void **) {
  // Spots of 9 rows are 6 bins of 1.5 rows, 18 of 0.5.
  for (const auto &[rows_per_bin, padding] :
       std::vector<std::pair<double, int>>{{1.5, 36}, {-1.5, 36}, {0.5, 108}}) {
    const Psf psf = psf_for(600, rows_per_bin);
    assert_near(specex::window_padding(psf, plan(psf, 600, 600)[0]), padding, 7);
  }
}

void windows_cut_short_cover_the_window_once(void **) {
  for_each_patch([](const Psf &psf, const specex_patch &patch) {
    for (const Window &window : cut(psf, patch))
      for (const int padding : {0, 30, 100000}) {
        const auto parts = specex::cut_short(patch, window, padding);
        if (window.whole) {
          assert_int_equal(parts.size(), 1);
          assert_true(same(parts[0], patch));
          continue;
        }
        // All around them is of the patch, not of the window alone.
        specex_patch core = window.shape;
        core.pad_first_bin = patch.pad_first_bin;
        core.pad_nbin = patch.pad_nbin;
        require_parts_of(core, parts);
        for (const specex_patch &part : parts) {
          assert_int_equal(part.pad_first_bin,
                           std::max(patch.pad_first_bin, part.first_bin - padding));
          assert_int_equal(pad_end(part),
                           std::min(pad_end(patch), core_end(part) + padding));
        }
      }
  });
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(windows_cover_each_core_bin_once),
      cmocka_unit_test(windows_short_patches_stay_whole),
      cmocka_unit_test(windows_are_of_one_length_and_overlap_by_their_padding),
      cmocka_unit_test(windows_fill_lanes),
      cmocka_unit_test(windows_are_not_made_where_the_rules_ask_for_the_patch),
      cmocka_unit_test(windows_padding_counts_spots),
      cmocka_unit_test(windows_cut_short_cover_the_window_once),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
