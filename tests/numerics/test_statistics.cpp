// SPDX-License-Identifier: BSD-3-Clause
//
// Are the errors right? Two bundles of a DESI-like camera are simulated on the extraction
// grid, with the true variance known, and extracted: then (flux - R truth) / sigma has to
// have mean 0 and variance 1, and the model has to leave a chi2 of 1 per degree of
// freedom in the pixels. The error model is exact there, so the bounds are those of the
// sampling noise alone.
#include <specex/specex.h>

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <vector>

#include "detector.hpp"
#include "psf_model.hpp"
#include "spectra_model.hpp"
#include "support/cmocka.hpp"

namespace {

constexpr int32_t nspec = 50;
constexpr uint64_t seed = 20260101;

struct Run {
  specex_context *context = nullptr;
  specex_psf_info psf{};
  specex_grid grid{};
  std::vector<double> truth;  // [nspec][nwave]
  specex_cli::Exposure exposure;
  std::vector<double> flux, ivar, resolution, model;
  std::vector<int32_t> mask;
};

Run *run = nullptr;

int simulate_and_extract(void **) {
  run = new Run;
  if (specex_create(nullptr, &run->context) != SPECEX_OK) return -1;
  const specex_cli::PsfModel psf('r', nspec, seed);
  run->psf.struct_size = sizeof run->psf;
  run->grid.struct_size = sizeof run->grid;
  if (specex_set_psf(run->context, &psf.view()) != SPECEX_OK ||
      specex_get_psf_info(run->context, &run->psf) != SPECEX_OK ||
      specex_grid_from_range(5760, 7620, 0.8, &run->grid) != SPECEX_OK)
    return -1;

  run->truth = specex_cli::make_spectra(run->grid, 0, nspec, seed);
  std::vector<double> expected(static_cast<size_t>(run->psf.nx * run->psf.ny));
  if (specex_project(run->context, &run->grid, 0, nspec, run->truth.data(), run->psf.nx,
                     run->psf.ny, expected.data()) != SPECEX_OK)
    return -1;
  specex_cli::Detector detector;
  detector.nx = run->psf.nx;
  detector.ny = run->psf.ny;
  run->exposure = specex_cli::expose(detector, expected, seed);

  specex_image image{};
  image.struct_size = sizeof image;
  image.type = SPECEX_FLOAT32;
  image.nx = image.pixels_stride = image.ivar_stride = run->psf.nx;
  image.ny = run->psf.ny;
  image.pixels = run->exposure.pixels.data();
  image.ivar = run->exposure.ivar.data();

  const size_t nbin = run->truth.size();
  run->flux.resize(nbin);
  run->ivar.resize(nbin);
  run->mask.resize(nbin);
  run->resolution.resize(nbin * static_cast<size_t>(run->psf.ndiag));
  run->model.resize(expected.size());
  specex_frame frame{};
  frame.struct_size = sizeof frame;
  frame.nspec = nspec;
  frame.nwave = run->grid.nwave;
  frame.ndiag = run->psf.ndiag;
  frame.flux = run->flux.data();
  frame.ivar = run->ivar.data();
  frame.mask = run->mask.data();
  frame.resolution = run->resolution.data();
  frame.model = run->model.data();
  frame.model_nx = run->psf.nx;
  frame.model_ny = run->psf.ny;
  return specex_extract_frame(run->context, &image, &run->grid, 0, nspec, &frame) ==
                 SPECEX_OK
             ? 0
             : -1;
}

int clean_up(void **) {
  specex_destroy(run->context);
  delete run;
  return 0;
}

// R applied to the truth; element (k, w) of the stored bands is R[w - ndiag/2 + k, w].
// The bands that are not stored hold 1e-4 to 1e-3 of a row: a bias of the expectation,
// not of the flux, of about 0.001 sigma here, a tenth of what the test resolves.
std::vector<double> truth_at_resolution() {
  const int64_t nwave = run->grid.nwave, ndiag = run->psf.ndiag;
  std::vector<double> expected(run->truth.size());
  for (int64_t i = 0; i < nspec; ++i)
    for (int64_t k = 0; k < ndiag; ++k)
      for (int64_t bin = 0; bin < nwave; ++bin) {
        const int64_t row = bin - ndiag / 2 + k;
        if (row >= 0 && row < nwave)
          expected[static_cast<size_t>(i * nwave + row)] +=
              run->resolution[static_cast<size_t>((i * ndiag + k) * nwave + bin)] *
              run->truth[static_cast<size_t>(i * nwave + bin)];
      }
  return expected;
}

void statistics_known_truth_gives_unit_pulls(void **) {
  const std::vector<double> expected = truth_at_resolution();
  double count = 0, sum = 0, sum_of_squares = 0;
  for (size_t i = 0; i < expected.size(); ++i) {
    if (run->ivar[i] <= 0) continue;
    const double pull = (run->flux[i] - expected[i]) * std::sqrt(run->ivar[i]);
    ++count;
    sum += pull;
    sum_of_squares += pull * pull;
  }
  const double mean = sum / count;
  const double variance = sum_of_squares / count - mean * mean;
  std::printf("%.0f bins: mean of the pulls %.5f, variance %.5f\n", count, mean,
              variance);
  assert_true(count >= 1e5);
  // Decorrelated fluxes have independent errors: the standard errors are those of `count`
  // independent draws from a unit Gaussian.
  assert_true(std::abs(mean) < 3 / std::sqrt(count));
  assert_true(std::abs(variance - 1) < 3 * std::sqrt(2 / count));
}

void statistics_known_truth_masks_nothing(void **) {
  for (const int32_t mask : run->mask) assert_int_equal(mask, 0);
}

void statistics_model_leaves_unit_chi2(void **) {
  double chi2 = 0, freedom = 0;
  for (size_t i = 0; i < run->model.size(); ++i) {
    if (!(run->model[i] > 0)) continue;  // no light of any bin falls there
    const double residual = run->exposure.pixels[i] - run->model[i];
    chi2 += residual * residual * run->exposure.ivar[i];
    ++freedom;
  }
  for (const double ivar : run->ivar) freedom -= ivar > 0;  // a fitted flux each
  std::printf("chi2 per degree of freedom %.5f (%.0f)\n", chi2 / freedom, freedom);
  assert_true(freedom > 1e6);
  assert_true(std::abs(chi2 / freedom - 1) < 0.01);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(statistics_known_truth_gives_unit_pulls),
      cmocka_unit_test(statistics_known_truth_masks_nothing),
      cmocka_unit_test(statistics_model_leaves_unit_chi2),
  };
  return cmocka_run_group_tests(tests, simulate_and_extract, clean_up);
}
