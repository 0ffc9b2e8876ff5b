// SPDX-License-Identifier: BSD-3-Clause
//
// specex make-psf: what it writes is a PSF that the library reads, with the sizes of a
// DESI camera.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "support/cmocka.hpp"
#include "support/scratch_directory.hpp"
#include "support/subcommand.hpp"

using specex::test::read_bytes;
using specex::test::ScratchDirectory;
using namespace specex_cli;

namespace {

constexpr int32_t bundle_size = 25;

struct Camera {
  const char *name;
  double wavemin, wavemax;                     // extracted, Angstrom
  double rows_per_bin_low, rows_per_bin_high;  // per bin of 0.8 Angstrom, at the two
  int64_t nx, ny;                              // with 500 fibres
};

constexpr Camera cameras[] = {{"b", 3600, 5800, 1.28, 1.44, 4096, 4096},
                              {"r", 5760, 7620, 1.41, 1.63, 4114, 4128},
                              {"z", 7520, 9824, 1.20, 1.47, 4114, 4128}};

void make(const std::string &path, const char *camera, int32_t nspec,
          const char *seed = "0") {
  run_subcommand({"make-psf", "--camera", camera, "--nspec", std::to_string(nspec),
                  "--seed", seed, "-o", path});
}

// A PSF file set in a context.
struct Loaded {
  explicit Loaded(const std::string &path) : file(FitsFile::psf(context, path)) {
    const specex_psf psf = file.psf();
    check(specex_set_psf(context.get(), &psf), context.get());
  }
  Context context;
  FitsFile file;
};

struct Trace {
  std::vector<double> x, y;
};

Trace trace(const Loaded &psf, int32_t fiber, const std::vector<double> &wave) {
  Trace result{std::vector<double>(wave.size()), std::vector<double>(wave.size())};
  check(specex_trace(psf.context.get(), fiber, wave.data(),
                     static_cast<int64_t>(wave.size()), result.x.data(), result.y.data()),
        psf.context.get());
  return result;
}

void make_psf_any_size_keeps_its_light_on_the_ccd(void **) {
  const ScratchDirectory folder;
  for (const Camera &camera : cameras)
    for (const int32_t nspec : {1, 25, 30, 500}) {
      make(folder.file("psf.fits"), camera.name, nspec);
      const Loaded psf(folder.file("psf.fits"));
      const specex_psf_info info = psf.context.psf_info();
      assert_int_equal(info.nspec, nspec);
      assert_int_equal(info.spot_nx, 17);
      assert_int_equal(info.spot_ny, 11);
      assert_int_equal(info.ny, camera.ny);
      if (nspec == 500) assert_int_equal(info.nx, camera.nx);
      assert_true(info.wavemin < camera.wavemin && info.wavemax > camera.wavemax);

      std::vector<double> wave;
      for (int k = 0; k <= 20; ++k)
        wave.push_back(camera.wavemin + (camera.wavemax - camera.wavemin) * k / 20);
      for (int32_t fiber = 0; fiber < nspec; ++fiber) {
        const Trace at = trace(psf, fiber, wave);
        for (size_t k = 0; k < wave.size(); ++k) {
          assert_true(at.x[k] > 8 && at.x[k] < static_cast<double>(info.nx) - 9);
          assert_true(at.y[k] > 5 && at.y[k] < static_cast<double>(info.ny) - 6);
        }
      }
    }
}

void make_psf_fibers_stand_in_bundles(void **) {
  const ScratchDirectory folder;
  make(folder.file("psf.fits"), "r", 75);
  const Loaded psf(folder.file("psf.fits"));
  const std::vector<double> wave{5760, 6690, 7620};
  for (int32_t fiber = 1; fiber < 75; ++fiber) {
    const Trace left = trace(psf, fiber - 1, wave), right = trace(psf, fiber, wave);
    const double spacing = fiber % bundle_size == 0 ? 17.6 : 7.26;
    for (size_t k = 0; k < wave.size(); ++k) {
      assert_true(std::abs(right.x[k] - left.x[k] - spacing) < 0.5);
      assert_true(std::abs(right.y[k] - left.y[k]) < 1.5);  // the smile, fibre to fibre
    }
  }
}

void make_psf_dispersion_is_that_of_the_camera(void **) {
  const ScratchDirectory folder;
  for (const Camera &camera : cameras) {
    make(folder.file("psf.fits"), camera.name, 500);
    const Loaded psf(folder.file("psf.fits"));
    for (const int32_t fiber : {0, 100, 250, 499}) {
      const Trace at = trace(
          psf, fiber,
          {camera.wavemin, camera.wavemin + 0.8, camera.wavemax - 0.8, camera.wavemax});
      assert_true(std::abs(at.y[1] - at.y[0] - camera.rows_per_bin_low) < 0.02);
      assert_true(std::abs(at.y[3] - at.y[2] - camera.rows_per_bin_high) < 0.02);
    }
  }
}

// Parameters vary smoothly over the fibres of a bundle, and the core stays about as wide
// as a pixel.
void make_psf_spots_are_smooth(void **) {
  const ScratchDirectory folder;
  make(folder.file("psf.fits"), "z", 50);
  const FitsFile file = FitsFile::psf(Context(), folder.file("psf.fits"));
  const specex_psf psf = file.psf();
  int ncoefficients = 0;
  for (int32_t p = 0; p < psf.nparam; ++p) {
    const double *values = psf.params + static_cast<int64_t>(p) * psf.nspec * psf.ncoef;
    const bool is_width = std::strncmp(psf.param_names[p], "GHSIG", 5) == 0;
    const bool is_coefficient = std::strncmp(psf.param_names[p], "GH-", 3) == 0;
    ncoefficients += is_coefficient;
    for (int32_t i = 0; i < psf.nspec; ++i) {
      if (is_width) assert_true(values[i * psf.ncoef] > 1 && values[i * psf.ncoef] < 1.2);
      if (is_coefficient && i > 0)
        assert_true(std::abs(values[i * psf.ncoef] - values[(i - 1) * psf.ncoef]) < 1e-3);
    }
  }
  assert_int_equal(ncoefficients, 49);
}

void make_psf_same_seed_gives_same_bytes(void **) {
  const ScratchDirectory folder;
  make(folder.file("one.fits"), "b", 30, "7");
  make(folder.file("two.fits"), "b", 30, "7");
  make(folder.file("other.fits"), "b", 30, "8");
  assert_true(read_bytes(folder.file("one.fits")) == read_bytes(folder.file("two.fits")));
  assert_true(read_bytes(folder.file("one.fits")) !=
              read_bytes(folder.file("other.fits")));
}

void make_psf_info_reads_it(void **) {
  const ScratchDirectory folder;
  make(folder.file("psf.fits"), "r", 30);
  assert_int_equal(exit_code_of_subcommand({"info", folder.file("psf.fits")}), exit_good);
}

void make_psf_senseless_request_is_refused(void **) {
  const ScratchDirectory folder;
  const std::string path = folder.file("psf.fits");
  for (const std::vector<std::string> &arguments :
       {std::vector<std::string>{"make-psf", "--camera", "x", "-o", path},
        {"make-psf", "--camera", "r", "--nspec", "0", "-o", path},
        {"make-psf", "--camera", "r", "--nspec", "-5", "-o", path},
        {"make-psf", "--camera", "r"}})
    assert_int_equal(exit_code_of_subcommand(arguments), exit_configuration);
  assert_int_equal(exit_code_of_subcommand({"make-psf", "--camera", "r", "-o",
                                            folder.file("no/such/folder/psf.fits")}),
                   exit_retryable);
  assert_true(folder.names().empty());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(make_psf_any_size_keeps_its_light_on_the_ccd),
      cmocka_unit_test(make_psf_fibers_stand_in_bundles),
      cmocka_unit_test(make_psf_dispersion_is_that_of_the_camera),
      cmocka_unit_test(make_psf_spots_are_smooth),
      cmocka_unit_test(make_psf_same_seed_gives_same_bytes),
      cmocka_unit_test(make_psf_info_reads_it),
      cmocka_unit_test(make_psf_senseless_request_is_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
