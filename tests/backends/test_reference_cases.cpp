// SPDX-License-Identifier: BSD-3-Clause
//
// The reference cases: what gpu_specter makes of real PSFs and simulated images, which
// the compatible mode of the backend named on the command line has to repeat; and what
// the corrected mode promises on the same data.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include "support/cmocka.hpp"
#include "support/reference_case.hpp"
#include "support/synthetic_case.hpp"

namespace {

using specex_test::Context;
using specex_test::Frame;
using specex_test::ReferenceCase;

int32_t tested_backend = SPECEX_BACKEND_CPU;
std::string tested_case;

Frame extract(const ReferenceCase &c, const specex_options &options,
              const specex_grid &grid) {
  const Context context(options, &c.psf());
  const specex_frame &expected = c.expected();
  Frame frame(0, expected.nspec, grid.nwave, 2 * c.psf().hsizey + 1, c.image().nx,
              c.image().ny);
  assert_status(
      specex_extract_frame(context, &c.image(), &grid, 0, expected.nspec, frame.get()),
      SPECEX_OK);
  return frame;
}

struct Worst {
  double value = 0.0;
  void add(double other) { value = std::max(value, std::abs(other)); }
};

void reference_case_is_repeated_in_the_compatible_mode(void **) {
  const ReferenceCase c(tested_case);
  specex_options options = c.options();
  options.backend = tested_backend;
  const Frame frame = extract(c, options, c.grid());
  const specex_frame &expected = c.expected();
  assert_int_equal(expected.nwave, c.grid().nwave);
  assert_int_equal(expected.ndiag, 2 * c.psf().hsizey + 1);
  assert_true(frame.finite());

  Worst pull, ivar, resolution, chi2pix, pixmask, model;
  size_t compared = 0;
  const auto nwave = static_cast<size_t>(expected.nwave);
  const auto ndiag = static_cast<size_t>(expected.ndiag);
  for (size_t k = 0; k < frame.flux.size(); ++k) {
    if (!(expected.ivar[k] > 1e-8) || expected.pixmask_fraction[k] > 0.5) continue;
    ++compared;
    assert_true(frame.ivar[k] > 0.0);
    pull.add((frame.flux[k] - expected.flux[k]) * std::sqrt(expected.ivar[k]));
    ivar.add(frame.ivar[k] / expected.ivar[k] - 1.0);
    chi2pix.add((frame.chi2pix[k] - expected.chi2pix[k]) / (1.0 + expected.chi2pix[k]));
    pixmask.add(frame.pixmask_fraction[k] - expected.pixmask_fraction[k]);
    for (size_t d = 0; d < ndiag; ++d) {
      const size_t element = (k / nwave * ndiag + d) * nwave + k % nwave;
      resolution.add(frame.resolution[element] - expected.resolution[element]);
    }
  }
  if (expected.model != nullptr)
    for (size_t p = 0; p < frame.model.size(); ++p)
      model.add((frame.model[p] - expected.model[p]) /
                (1.0 + std::abs(expected.model[p])));
  std::printf(
      "%s: %zu bins, pull %.2g, ivar %.2g, R %.2g, chi2pix %.2g, pixmask %.2g, "
      "model %.2g\n",
      tested_case.c_str(), compared, pull.value, ivar.value, resolution.value,
      chi2pix.value, pixmask.value, model.value);
  assert_true(compared > 0);
  // All rows of r-dark are dark somewhere: its patches are near-singular.
  const bool dark = tested_case == "r-dark";
  assert_at_most(pull.value, dark ? 1e-5 : 2e-6);
  assert_at_most(ivar.value, dark ? 1e-5 : 1e-7);
  assert_at_most(resolution.value, dark ? 1e-5 : 1e-7);
  if (dark) return;
  assert_at_most(chi2pix.value, 2e-6);
  assert_at_most(pixmask.value, 2e-6);
  assert_at_most(model.value, 2e-6);
}

void reference_case_in_the_corrected_mode_is_finite_and_close(void **) {
  // The reference backend takes its time, and test_backends compares the two.
  if (tested_backend == SPECEX_BACKEND_REFERENCE && tested_case != "r-plain") skip();
  const ReferenceCase c(tested_case);
  specex_options options = c.options();
  options.backend = tested_backend;
  const Frame compatible = extract(c, options, c.grid());
  options.compat = SPECEX_COMPAT_NONE;
  const Frame corrected = extract(c, options, c.grid());
  assert_true(corrected.finite());
  std::vector<double> pulls;
  for (size_t k = 0; k < corrected.flux.size(); ++k) {
    assert_true((corrected.ivar[k] == 0.0) ==
                ((corrected.mask[k] & SPECEX_MASK_NODATA) != 0));
    if (corrected.ivar[k] > 0.0 && compatible.pixmask_fraction[k] <= 0.5)
      pulls.push_back(std::abs(corrected.flux[k] - compatible.flux[k]) *
                      std::sqrt(compatible.ivar[k]));
  }
  assert_true(pulls.size() > 100);
  std::nth_element(pulls.begin(),
                   pulls.begin() + static_cast<ptrdiff_t>(pulls.size() / 2), pulls.end());
  if (tested_case == "r-plain" || tested_case == "r-whole")
    assert_at_most(pulls[pulls.size() / 2], 1e-3);
}

// 20 Angstrom more on both sides, as far as the PSF goes: every bin on the CCD is kept.
void reference_case_beyond_the_edge_loses_no_bin(void **) {
  if (tested_backend == SPECEX_BACKEND_REFERENCE || tested_case != "r-plain") skip();
  const ReferenceCase c(tested_case);
  specex_options options = c.options();
  options.backend = tested_backend;
  options.compat = SPECEX_COMPAT_NONE;
  // The cutout ends somewhat beyond the case's own grid: find where, then go farther.
  const Context context(options, &c.psf());
  specex_grid grid = c.grid();
  const auto row = [&](int fiber, double wave) {
    double x = 0.0;
    double y = 0.0;
    assert_status(specex_trace(context, fiber, &wave, 1, &x, &y), SPECEX_OK);
    return y;
  };
  while (row(0, grid.wavemin) > 0.0) grid.wavemin -= grid.wavestep;
  grid.wavemin -= 20.0;
  double last = c.grid().wavemin;
  while (row(0, last) < static_cast<double>(c.image().ny)) last += grid.wavestep;
  grid.nwave =
      static_cast<int64_t>(std::ceil((last + 20.0 - grid.wavemin) / grid.wavestep));
  const Frame frame = extract(c, options, grid);
  assert_true(frame.finite());
  int64_t on = 0;
  for (int i = 0; i < c.expected().nspec; ++i)
    for (int64_t w = 0; w < grid.nwave; ++w) {
      const double y = row(i, grid.wavemin + static_cast<double>(w) * grid.wavestep);
      const auto k = static_cast<size_t>(i * grid.nwave + w);
      if (y >= 0.0 && y <= static_cast<double>(c.image().ny - 1)) {
        ++on;
        assert_true(frame.ivar[k] > 0.0);
      }
      if (y < -20.0 || y > static_cast<double>(c.image().ny) + 20.0)
        assert_true(frame.mask[k] & SPECEX_MASK_NODATA);
    }
  assert_true(on > c.expected().nspec * c.grid().nwave);
}

}  // namespace

int main(int argc, char **argv) {
  if (specex_test::lacks_instructions()) return 77;
  if (argc > 1 && std::string(argv[1]) == "reference")
    tested_backend = SPECEX_BACKEND_REFERENCE;
  const std::vector<std::string> names = specex_test::reference_cases();
  if (names.empty()) {
    std::puts("skipped: no reference cases in SPECEX_REFERENCE_DIR");
    return 77;
  }
  int failed = 0;
  for (const std::string &name : names) {
    tested_case = name;
    const CMUnitTest tests[] = {
        cmocka_unit_test(reference_case_is_repeated_in_the_compatible_mode),
        cmocka_unit_test(reference_case_in_the_corrected_mode_is_finite_and_close),
        cmocka_unit_test(reference_case_beyond_the_edge_loses_no_bin),
    };
    failed += cmocka_run_group_tests_name(name.c_str(), tests, nullptr, nullptr);
  }
  return failed;
}
