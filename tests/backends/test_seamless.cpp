// SPDX-License-Identifier: BSD-3-Clause
//
// A bundle is one patch over the whole grid, and the cpu backend cuts it where it likes:
// nothing of the cuts may be seen. With the argument "reference": against the reference
// at full size, which takes it a while.
#include <specex/specex.h>

#include <cmath>
#include <string>
#include <vector>

#include "support/cmocka.hpp"
#include "support/difference.hpp"
#include "support/random.hpp"
#include "support/synthetic_case.hpp"

namespace {

using specex_test::Case;
using specex_test::CaseSpec;
using specex_test::Context;
using specex_test::Difference;
using specex_test::Frame;

// As the library divides where nothing is said, but for the number of fibres.
specex_options undivided() {
  specex_options options = specex_test::small_options();
  options.bundlesize = 10;
  options.nsubbundles = 0;
  options.nwavestep = 0;
  options.wavepad = 10;
  return options;
}

// One patch for the reference, too, with all of its padding's rows.
specex_options by_the_reference(const Case &c) {
  specex_options options = undivided();
  options.backend = SPECEX_BACKEND_REFERENCE;
  options.nsubbundles = 1;
  options.nwavestep = c.spec.nwave;
  options.pixpad_frac = 1.0;
  return options;
}

// Steps with so much around them that their ends cannot be noticed.
specex_options divided(int nwavestep) {
  specex_options options = undivided();
  options.nwavestep = nwavestep;
  options.wavepad = 60;
  options.wavepad_frac = 0.0;
  options.pixpad_frac = 1.0;
  return options;
}

constexpr int far_from_ends = 60;  // bins

struct Bounds {
  double pull;
  double rest;  // of ivar and R
};

void require_same(const char *name, const Case &c, const Frame &frame,
                  const Frame &expected, const Bounds &bounds, int margin = 0) {
  if (!frame.finite()) fail_msg("%s: outputs are not finite", name);
  const Difference d = specex_test::difference(c, frame, expected, margin);
  if (!(d.pull <= bounds.pull) || !(std::max(d.ivar, d.resolution) <= bounds.rest) ||
      !(d.chi2 <= 1e-6))
    fail_msg("%s: pull %.3g, ivar %.3g, resolution %.3g, chi2pix %.3g", name, d.pull,
             d.ivar, d.resolution, d.chi2);
  print_message("%s: pull %.2g, ivar %.2g, resolution %.2g, chi2pix %.2g\n", name, d.pull,
                d.ivar, d.resolution, d.chi2);
}

Frame extract_as_one(const Case &c, int bundles = 1) {
  const Frame frame = specex_test::extract(c, undivided());
  assert_int_equal(frame.frame.npatch, bundles);
  return frame;
}

void require_like_the_reference(const char *name, const Case &c, const Frame &frame,
                                const Bounds &bounds = {1e-7, 1e-8}) {
  const Frame expected = specex_test::extract(c, by_the_reference(c));
  assert_int_equal(expected.frame.npatch, 1);
  require_same(name, c, frame, expected, bounds);
  // Bits and sums are those of bins without data, too, and so is R.
  assert_true(frame.mask == expected.mask);
  for (size_t k = 0; k < frame.ivar.size(); ++k)
    assert_near(frame.pixmask_fraction[k], expected.pixmask_fraction[k], 1e-12);
  for (size_t k = 0; k < frame.resolution.size(); ++k)
    assert_near(frame.resolution[k], expected.resolution[k], bounds.rest);
  // The model is that of the flux before it is smoothed, which feels a cut from farther
  // away: in a pixel's own noise. Masked pixels say nothing about the flux they have.
  for (size_t p = 0; p < frame.model.size(); ++p)
    assert_near(frame.model[p] * std::sqrt(c.ivar[p]),
                expected.model[p] * std::sqrt(c.ivar[p]), 2e-5);
}

void seamless_equals_the_reference_at_full_size(void **) {
  const Case c = specex_test::make_case({.nspec = 10, .nwave = 300});
  const Frame frame = extract_as_one(c);
  assert_int_equal(frame.frame.npath_vector, 1);
  require_like_the_reference("10 fibres, 300 bins", c, frame);
}

void seamless_equals_the_reference(void **) {
  const Case c = specex_test::make_case({.nspec = 3, .nwave = 240});
  const Frame frame = extract_as_one(c);
  assert_int_equal(frame.frame.npath_vector, 1);
  require_like_the_reference("3 fibres, 240 bins", c, frame);
}

// Flux may be off by what a cut is allowed to cost.
void seamless_hard_cases_equal_the_reference(void **) {
  for (const auto &[name, spec] : std::vector<std::pair<const char *, CaseSpec>>{
           {"falling traces", {.nspec = 3, .nwave = 240, .rows_per_bin = -1.5}},
           {"fine bins", {.nspec = 3, .nwave = 240, .rows_per_bin = 1.1}},
           {"coarse bins", {.nspec = 3, .nwave = 240, .rows_per_bin = 3.0}},
           {"close traces", {.nspec = 3, .nwave = 240, .spacing = 4.0}},
           {"tails", {.nspec = 3, .nwave = 240, .tails = true}},
           {"strong lines", {.nspec = 3, .nwave = 240, .ripple = 300.0}},
           {"low spots", {.nspec = 3, .nwave = 240, .hsizex = 2, .hsizey = 2}}}) {
    const Case c = specex_test::make_case(spec);
    require_like_the_reference(name, c, extract_as_one(c), {1e-5, 1e-6});
  }
  Case c = specex_test::make_case({.nspec = 3, .nwave = 240});
  specex_test::Random random(9);
  for (double &weight : c.ivar) weight *= std::pow(10.0, -12.0 * random.uniform());
  require_like_the_reference("ivar over twelve orders", c, extract_as_one(c),
                             {1e-5, 1e-6});
}

// Wide spots on fine bins: what is solved without lanes, in short parts, needs more than
// the usual padding.
void seamless_short_parts_of_windows_do_not_show(void **) {
  Case c = specex_test::make_case({.nspec = 1, .nwave = 240, .rows_per_bin = 1.0});
  *c.psf.coefficient("GHSIGY", 0) = 1.5;
  specex_test::simulate(c);
  require_like_the_reference("wide spots on fine bins", c, extract_as_one(c),
                             {1e-5, 1e-6});
}

// Steps of 60 are solved whole, those of 100 are cut again.
void seamless_equals_generously_padded_steps(void **) {
  const Case c = specex_test::make_case({.nspec = 10, .nwave = 500});
  const Frame frame = extract_as_one(c);
  for (const int step : {60, 100})
    require_same(("steps of " + std::to_string(step)).c_str(), c, frame,
                 specex_test::extract(c, divided(step)), {1e-6, 1e-7}, far_from_ends);
}

// ------------------------------------------------------------------ pixels without data

struct Damage {
  const char *name;
  std::vector<int64_t>
      block;  // rows and columns without weight: [ymin, ymax, xmin, xmax)
};

void mask(Case &c, const std::vector<int64_t> &block) {
  for (int64_t y = block[0]; y < std::min(block[1], c.ny); ++y)
    for (int64_t x = block[2]; x < std::min(block[3], c.nx); ++x) c.weight(y, x) = 0.0;
}

// Columns of fibre 1 of 3 are 16 more or less, rows are 24 + 1.5 bins.
const std::vector<Damage> damages = {
    {"a masked block", {150, 190, 12, 20}},     {"masked rows", {200, 215, 0, 1000}},
    {"a long masked block", {100, 300, 0, 20}}, {"a bad column", {0, 1000, 16, 17}},
    {"bad columns", {0, 1000, 18, 21}},         {"a dead fibre", {0, 1000, 12, 20}},
    {"half a CCD", {0, 204, 0, 1000}},
};

void seamless_with_masked_pixels_equals_the_reference(void **) {
  for (const Damage &damage : damages) {
    Case c = specex_test::make_case({.nspec = 3, .nwave = 240});
    mask(c, damage.block);
    // R of bins without data comes from blocks of the grid, cut out with their margins.
    require_like_the_reference(damage.name, c, extract_as_one(c), {1e-7, 1e-7});
  }
}

void seamless_with_masked_pixels_equals_generously_padded_steps(void **) {
  for (const Damage &damage : damages) {
    Case c = specex_test::make_case({.nspec = 10, .nwave = 400});
    mask(c, damage.block);
    require_same(damage.name, c, extract_as_one(c), specex_test::extract(c, divided(60)),
                 {1e-6, 1e-7}, far_from_ends);
  }
}

// ------------------------------------------------------------------ bits

void seamless_threads_give_the_same_bits(void **) {
  for (const CaseSpec &spec :
       {CaseSpec{.nspec = 23, .nwave = 700},
        CaseSpec{.nspec = 21, .nwave = 300, .spacing = 4.0}}) {  // close traces
    Case c = specex_test::make_case(spec);
    for (const Damage &damage : {damages[0], damages[1], damages[4]})
      mask(c, damage.block);
    const Frame expected = extract_as_one(c, 3);
    specex_options options = undivided();
    for (const int threads : {2, 3, 8}) {
      options.num_threads = threads;
      assert_true(specex_test::same_bits(specex_test::extract(c, options), expected));
    }
  }
}

void seamless_ranges_of_fibres_give_the_bits_of_the_whole(void **) {
  Case c = specex_test::make_case({.nspec = 23, .nwave = 300});
  const Frame whole = extract_as_one(c, 3);
  const Context context(undivided(), c.psf.view());
  const specex_image image = c.image();
  const auto part = [&](const std::vector<double> &values, int first, int nspec) {
    const auto size = static_cast<ptrdiff_t>(values.size() / 23);
    return std::vector<double>(values.begin() + first * size,
                               values.begin() + (first + nspec) * size);
  };
  for (const auto &[first, nspec] : std::vector<std::pair<int, int>>{
           {0, 1}, {4, 3}, {9, 2}, {7, 14}, {19, 4}, {22, 1}}) {
    Frame frame(c, first, nspec);
    assert_status(
        specex_extract_frame(context, &image, &c.grid, first, nspec, frame.get()),
        SPECEX_OK);
    assert_true(specex_test::same_bits(frame.flux, part(whole.flux, first, nspec)));
    assert_true(specex_test::same_bits(frame.ivar, part(whole.ivar, first, nspec)));
    assert_true(
        specex_test::same_bits(frame.resolution, part(whole.resolution, first, nspec)));
    assert_true(specex_test::same_bits(frame.chi2pix, part(whole.chi2pix, first, nspec)));
  }
}

// ------------------------------------------------------------------ padding

// Padding ends where the PSF does, so its length costs nothing.
void seamless_padding_is_cut_to_what_the_psf_covers(void **) {
  const Case c = specex_test::make_case({.nspec = 10, .nwave = 300});
  specex_options options = undivided();
  const Frame frame = specex_test::extract(c, options);
  options.wavepad = 1000;
  const Frame longer = specex_test::extract(c, options);
  require_same("padding of 1000 bins", c, longer, frame, {1e-6, 1e-7}, far_from_ends);
  options.backend = SPECEX_BACKEND_CPU;
  const Context context(options, specex_test::PsfTables(c.psf).view());
  for (const specex_patch &patch : specex_test::plan(context, c.grid, 0, 10))
    assert_true(patch.pad_nbin < c.spec.nwave + 60);
}

}  // namespace

int main(int argc, char **argv) {
  if (specex_test::lacks_instructions()) return 77;
  if (argc > 1 && std::string(argv[1]) == "reference") {
    const CMUnitTest tests[] = {
        cmocka_unit_test(seamless_equals_the_reference_at_full_size),
    };
    return cmocka_run_group_tests(tests, nullptr, nullptr);
  }
  const CMUnitTest tests[] = {
      cmocka_unit_test(seamless_equals_the_reference),
      cmocka_unit_test(seamless_hard_cases_equal_the_reference),
      cmocka_unit_test(seamless_short_parts_of_windows_do_not_show),
      cmocka_unit_test(seamless_equals_generously_padded_steps),
      cmocka_unit_test(seamless_with_masked_pixels_equals_the_reference),
      cmocka_unit_test(seamless_with_masked_pixels_equals_generously_padded_steps),
      cmocka_unit_test(seamless_threads_give_the_same_bits),
      cmocka_unit_test(seamless_ranges_of_fibres_give_the_bits_of_the_whole),
      cmocka_unit_test(seamless_padding_is_cut_to_what_the_psf_covers),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
