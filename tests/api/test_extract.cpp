// SPDX-License-Identifier: BSD-3-Clause
//
// What must not change a result: how the image is stored, which outputs are wanted, which
// fibres are asked for together, whether the caller does the steps alone, and what the
// context did before.
#include <specex/specex.h>

#include <cmath>
#include <limits>
#include <vector>

#include "support/cmocka.hpp"
#include "support/synthetic_case.hpp"

namespace {

using specex_test::Case;
using specex_test::Context;
using specex_test::Frame;
using specex_test::PsfTables;
using specex_test::Results;
using specex_test::same_bits;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

size_t at(int64_t index) { return static_cast<size_t>(index); }

Frame extract_image(const Case &c, const specex_image &image) {
  PsfTables psf = c.psf;
  const Context context(specex_test::small_options(), psf.view());
  Frame frame(c, 0, c.spec.nspec);
  assert_status(
      specex_extract_frame(context, &image, &c.grid, 0, c.spec.nspec, frame.get()),
      SPECEX_OK);
  return frame;
}

void extract_single_and_double_pixels_give_the_same_bits(void **) {
  Case c = specex_test::make_case();
  std::vector<float> pixels(c.pixels.begin(), c.pixels.end());
  std::vector<float> ivar(c.ivar.begin(), c.ivar.end());
  c.pixels.assign(pixels.begin(), pixels.end());
  c.ivar.assign(ivar.begin(), ivar.end());
  specex_image image = c.image();
  const Frame expected = extract_image(c, image);
  image.type = SPECEX_FLOAT32;
  image.pixels = pixels.data();
  image.ivar = ivar.data();
  assert_true(same_bits(extract_image(c, image), expected));
}

void extract_strides_give_the_same_bits(void **) {
  const Case c = specex_test::make_case();
  specex_image image = c.image();
  const Frame expected = extract_image(c, image);
  image.pixels_stride = c.nx + 3;
  image.ivar_stride = c.nx + 8;
  std::vector<double> pixels(at(image.pixels_stride * c.ny), nan);
  std::vector<double> ivar(at(image.ivar_stride * c.ny), nan);
  for (int64_t y = 0; y < c.ny; ++y)
    for (int64_t x = 0; x < c.nx; ++x) {
      pixels[at(y * image.pixels_stride + x)] = c.pixels[at(y * c.nx + x)];
      ivar[at(y * image.ivar_stride + x)] = c.ivar[at(y * c.nx + x)];
    }
  image.pixels = pixels.data();
  image.ivar = ivar.data();
  assert_true(same_bits(extract_image(c, image), expected));
}

// A context keeps its memory: spots of other sizes, other fibres and wavelengths leave
// nothing in it that counts.
void extract_after_others_gives_the_same_bits(void **) {
  const std::vector<Case> cases = {
      specex_test::make_case({.nspec = 9, .nwave = 60}),
      specex_test::make_case({.nwave = 70, .hsizex = 9, .hsizey = 3, .seed = 2}),
      specex_test::make_case({.nspec = 8, .nwave = 220, .hsizex = 6, .hsizey = 7}),
      specex_test::make_case({.nspec = 3, .hsizex = 2, .hsizey = 2, .seed = 3}),
      specex_test::make_case({.nspec = 5, .tails = true})};
  for (const bool divided : {true, false}) {
    specex_options options = specex_test::small_options();
    options.num_threads = 2;
    if (!divided) options.nsubbundles = options.nwavestep = 0;
    const auto extract = [](specex_context *context, const Case &c) {
      PsfTables psf = c.psf;
      const specex_image image = c.image();
      Frame frame(c, 0, c.spec.nspec);
      assert_status(specex_set_psf(context, psf.view()), SPECEX_OK);
      assert_status(
          specex_extract_frame(context, &image, &c.grid, 0, c.spec.nspec, frame.get()),
          SPECEX_OK);
      return frame;
    };
    const Context used(options);
    for (const Case &before : cases)
      for (const Case &c : cases) {
        extract(used, before);
        assert_true(same_bits(extract(used, c), extract(Context(options), c)));
      }
  }
}

// Each of the eight arrays is wanted or not: 256 ways, the wanted ones always the same.
void extract_unwanted_outputs_change_nothing(void **) {
  Case c = specex_test::make_case({.nspec = 2, .nwave = 8});
  for (const int32_t backend : {SPECEX_BACKEND_CPU, SPECEX_BACKEND_REFERENCE}) {
    const Context context(specex_test::small_options(backend), c.psf.view());
    const specex_image image = c.image();
    Frame whole(c, 0, 2);
    assert_status(specex_extract_frame(context, &image, &c.grid, 0, 2, whole.get()),
                  SPECEX_OK);
    for (int wanted = 0; wanted < 256; ++wanted) {
      Frame some(c, 0, 2);
      const Frame untouched = some;
      specex_frame *frame = some.get();
      double **arrays[] = {&frame->wavelength, &frame->flux,    &frame->ivar,
                           &frame->resolution, &frame->chi2pix, &frame->pixmask_fraction,
                           &frame->model};
      for (int k = 0; k < 7; ++k)
        if ((wanted >> k & 1) == 0) *arrays[k] = nullptr;
      if ((wanted >> 7 & 1) == 0) frame->mask = nullptr;
      assert_status(specex_extract_frame(context, &image, &c.grid, 0, 2, frame),
                    SPECEX_OK);
      using Member = std::vector<double> Frame::*;
      const Member members[] = {&Frame::wavelength, &Frame::flux,
                                &Frame::ivar,       &Frame::resolution,
                                &Frame::chi2pix,    &Frame::pixmask_fraction,
                                &Frame::model};
      for (int k = 0; k < 7; ++k)
        assert_true(same_bits(some.*members[k], (wanted >> k & 1) != 0
                                                    ? whole.*members[k]
                                                    : untouched.*members[k]));
      // BAD2DFIT needs chi2pix; without it the other bits are the same.
      if ((wanted >> 7 & 1) == 0)
        assert_true(some.mask == untouched.mask);
      else if ((wanted >> 4 & 1) != 0)
        assert_true(some.mask == whole.mask);
      assert_int_equal(frame->npatch, whole.frame.npatch);
    }
  }
}

void extract_steps_taken_alone_give_the_same_bits(void **) {
  for (const int32_t backend : {SPECEX_BACKEND_CPU, SPECEX_BACKEND_REFERENCE})
    for (const int32_t compat : {SPECEX_COMPAT_NONE, SPECEX_COMPAT_GPU_SPECTER}) {
      Case c = specex_test::make_case();
      specex_options options = specex_test::small_options(backend);
      options.compat = compat;
      const Context context(options, c.psf.view());
      const specex_image image = c.image();
      Frame whole(c, 0, 6);
      assert_status(specex_extract_frame(context, &image, &c.grid, 0, 6, whole.get()),
                    SPECEX_OK);
      std::vector<specex_patch> patches = specex_test::plan(context, c.grid, 0, 6);
      Results results(patches);
      const auto n = static_cast<int64_t>(patches.size());
      assert_status(specex_extract_patches(context, &image, patches.data(), n,
                                           results.results.data()),
                    SPECEX_OK);
      Frame parts(c, 0, 6);
      parts.wavelength = whole.wavelength;  // which no patch knows
      assert_status(specex_assemble(context, patches.data(), results.results.data(), n,
                                    parts.get()),
                    SPECEX_OK);
      // A frame's model is summed over patches in another order.
      for (size_t k = 0; k < whole.model.size(); ++k)
        assert_near(parts.model[k], whole.model[k],
                    1e-12 * (1.0 + std::abs(whole.model[k])));
      parts.model = whole.model;
      assert_true(same_bits(parts, whole));
      assert_int_equal(parts.frame.npatch, whole.frame.npatch);
      assert_int_equal(parts.frame.npath_banded, whole.frame.npath_banded);
      assert_int_equal(parts.frame.npath_dense, whole.frame.npath_dense);

      // One at a time, and the other way round.
      Results alone(patches);
      for (int64_t k = n - 1; k >= 0; --k)
        assert_status(specex_extract_patches(context, &image, &patches[at(k)], 1,
                                             &alone.results[at(k)]),
                      SPECEX_OK);
      for (size_t k = 0; k < patches.size(); ++k) {
        assert_true(same_bits(alone.doubles[k], results.doubles[k]));
        assert_true(alone.masks[k] == results.masks[k]);
      }
    }
}

void extract_any_range_of_fibres_gives_the_bits_of_the_whole(void **) {
  Case c = specex_test::make_case({.nspec = 7, .nwave = 14});
  const Context context(specex_test::small_options(), c.psf.view());
  const specex_image image = c.image();
  Frame whole(c, 0, 7);
  assert_status(specex_extract_frame(context, &image, &c.grid, 0, 7, whole.get()),
                SPECEX_OK);
  const auto part = [&](const std::vector<double> &values, int first, int nspec) {
    const auto size = static_cast<ptrdiff_t>(values.size() / 7);
    return std::vector<double>(values.begin() + first * size,
                               values.begin() + (first + nspec) * size);
  };
  for (int first = 0; first < 7; ++first)
    for (int nspec = 1; nspec <= 7 - first; ++nspec) {
      Frame frame(c, first, nspec);
      assert_status(
          specex_extract_frame(context, &image, &c.grid, first, nspec, frame.get()),
          SPECEX_OK);
      assert_true(same_bits(frame.flux, part(whole.flux, first, nspec)));
      assert_true(same_bits(frame.ivar, part(whole.ivar, first, nspec)));
      assert_true(same_bits(frame.resolution, part(whole.resolution, first, nspec)));
      assert_true(same_bits(frame.chi2pix, part(whole.chi2pix, first, nspec)));
      assert_true(
          same_bits(frame.pixmask_fraction, part(whole.pixmask_fraction, first, nspec)));
    }
}

void extract_recovers_the_truth_within_its_errors(void **) {
  const Case c = specex_test::make_case({.nspec = 8, .nwave = 60, .ripple = 0.0});
  const Frame frame = specex_test::extract(c, specex_test::small_options());
  double sum = 0.0;
  double square = 0.0;
  for (size_t k = 0; k < frame.flux.size(); ++k) {
    // A flat spectrum is what it is after convolution with R, too.
    const double pull = (frame.flux[k] - c.truth[k]) * std::sqrt(frame.ivar[k]);
    sum += pull;
    square += pull * pull;
  }
  const auto n = static_cast<double>(frame.flux.size());
  assert_at_most(std::abs(sum / n), 5.0 / std::sqrt(n));
  assert_at_most(std::abs(square / n - 1.0), 5.0 * std::sqrt(2.0 / n));
}

void extract_flux_and_ivar_are_per_angstrom(void **) {
  Case c = specex_test::make_case({.ripple = 0.0});
  Case fine = c;  // half the step, the same light per Angstrom
  fine.grid.wavestep = 2.0;
  fine.grid.nwave /= 2;
  PsfTables psf = c.psf;
  const Context context(specex_test::small_options(), psf.view());
  const specex_image image = c.image();
  Frame a(c, 0, 6);
  Frame b(0, 6, fine.grid.nwave, 9, c.nx, c.ny);
  assert_status(specex_extract_frame(context, &image, &c.grid, 0, 6, a.get()), SPECEX_OK);
  assert_status(specex_extract_frame(context, &image, &fine.grid, 0, 6, b.get()),
                SPECEX_OK);
  double mean_a = 0.0;
  double mean_b = 0.0;
  for (const double flux : a.flux) mean_a += flux / static_cast<double>(a.flux.size());
  for (const double flux : b.flux) mean_b += flux / static_cast<double>(b.flux.size());
  assert_near(mean_a, mean_b, 0.05 * mean_a);
}

void extract_strict_refuses_what_is_masked_otherwise(void **) {
  Case c = specex_test::make_case();
  c.pixel(40, 20) = nan;
  specex_options options = specex_test::small_options();
  Frame frame(c, 0, 6);
  specex_status status = SPECEX_OK;
  frame = specex_test::extract(c, options, &status);
  assert_status(status, SPECEX_OK);
  assert_int_equal(frame.frame.nbadpixel, 1);
  assert_true(frame.finite());
  options.strict = 1;
  specex_test::extract(c, options, &status);
  assert_status(status, SPECEX_ERROR_DATA);
  const Context context(options, c.psf.view());
  const std::vector<specex_patch> patches = specex_test::plan(context, c.grid, 0, 6);
  Results results(patches);
  const specex_image image = c.image();
  assert_status(specex_extract_patches(context, &image, patches.data(),
                                       static_cast<int64_t>(patches.size()),
                                       results.results.data()),
                SPECEX_ERROR_DATA);
  c.weight(40, 20) = 0.0;  // said to be bad: nothing to complain of
  specex_test::extract(c, options, &status);
  assert_status(status, SPECEX_OK);
}

void extract_no_patches_is_nothing_to_do(void **) {
  Case c = specex_test::make_case();
  const Context context(specex_test::small_options(), c.psf.view());
  const specex_image image = c.image();
  assert_status(specex_extract_patches(context, &image, nullptr, 0, nullptr), SPECEX_OK);
  Frame frame(c, 0, 6);
  assert_status(specex_assemble(context, nullptr, nullptr, 0, frame.get()), SPECEX_OK);
  for (const int32_t mask : frame.mask) assert_int_equal(mask, SPECEX_MASK_NODATA);
  for (const double ivar : frame.ivar) assert_near(ivar, 0.0, 0.0);
}

void project_is_linear_and_keeps_the_light(void **) {
  Case c = specex_test::make_case();
  const Context context(specex_test::small_options(), c.psf.view());
  std::vector<double> image(c.pixels.size(), nan);
  std::vector<double> doubled(c.pixels.size(), nan);
  assert_status(
      specex_project(context, &c.grid, 0, 6, c.truth.data(), c.nx, c.ny, image.data()),
      SPECEX_OK);
  double electrons = 0.0;
  for (const double flux : c.truth) electrons += flux * c.grid.wavestep;
  double total = 0.0;
  for (const double pixel : image) total += pixel;
  assert_near(total, electrons, 1e-9 * electrons);
  std::vector<double> twice = c.truth;
  for (double &flux : twice) flux *= 2.0;
  assert_status(
      specex_project(context, &c.grid, 0, 6, twice.data(), c.nx, c.ny, doubled.data()),
      SPECEX_OK);
  for (size_t p = 0; p < image.size(); ++p)
    assert_near(doubled[p], 2.0 * image[p], 1e-12 * electrons);
}

void project_off_the_image_is_cut(void **) {
  Case c = specex_test::make_case();
  const Context context(specex_test::small_options(), c.psf.view());
  std::vector<double> whole(c.pixels.size());
  assert_status(
      specex_project(context, &c.grid, 0, 6, c.truth.data(), c.nx, c.ny, whole.data()),
      SPECEX_OK);
  constexpr int64_t nx = 13;
  constexpr int64_t ny = 31;
  std::vector<double> part(nx * ny);
  assert_status(
      specex_project(context, &c.grid, 0, 6, c.truth.data(), nx, ny, part.data()),
      SPECEX_OK);
  for (int64_t y = 0; y < ny; ++y)
    for (int64_t x = 0; x < nx; ++x)
      assert_true(part[at(y * nx + x)] == whole[at(y * c.nx + x)]);
}

void project_threads_give_the_same_bits(void **) {
  // More bins than are projected at a time.
  Case c = specex_test::make_case({.nwave = 1100});
  specex_options options = specex_test::small_options();
  std::vector<double> expected;
  for (const int threads : {1, 2, 3, 8}) {
    options.num_threads = threads;
    const Context context(options, c.psf.view());
    std::vector<double> image(c.pixels.size());
    assert_status(
        specex_project(context, &c.grid, 0, 6, c.truth.data(), c.nx, c.ny, image.data()),
        SPECEX_OK);
    if (expected.empty()) expected = image;
    assert_true(same_bits(image, expected));
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(extract_single_and_double_pixels_give_the_same_bits),
      cmocka_unit_test(extract_strides_give_the_same_bits),
      cmocka_unit_test(extract_after_others_gives_the_same_bits),
      cmocka_unit_test(extract_unwanted_outputs_change_nothing),
      cmocka_unit_test(extract_steps_taken_alone_give_the_same_bits),
      cmocka_unit_test(extract_any_range_of_fibres_gives_the_bits_of_the_whole),
      cmocka_unit_test(extract_recovers_the_truth_within_its_errors),
      cmocka_unit_test(extract_flux_and_ivar_are_per_angstrom),
      cmocka_unit_test(extract_strict_refuses_what_is_masked_otherwise),
      cmocka_unit_test(extract_no_patches_is_nothing_to_do),
      cmocka_unit_test(project_is_linear_and_keeps_the_light),
      cmocka_unit_test(project_off_the_image_is_cut),
      cmocka_unit_test(project_threads_give_the_same_bits),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
