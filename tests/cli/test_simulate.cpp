// SPDX-License-Identifier: BSD-3-Clause
//
// specex simulate: its image is the library's forward model of its truth, with the noise
// and the faults that were asked for.
#include <cmath>
#include <cstring>
#include <vector>

#include "simulate.hpp"
#include "support/cmocka.hpp"
#include "support/scratch_directory.hpp"
#include "support/subcommand.hpp"

using specex::test::read_bytes;
using specex::test::ScratchDirectory;
using namespace specex_cli;

namespace {

constexpr int32_t nspec = 5;

// Simulations of five fibres over 40 Angstrom, files in a folder of their own.
class Simulator {
 public:
  Simulator() {
    run_subcommand({"make-psf", "--camera", "r", "--nspec", std::to_string(nspec), "-o",
                    path("psf")});
  }

  std::string path(const std::string &name) const { return folder_.file(name + ".fits"); }

  std::vector<std::string> command(const std::string &name,
                                   std::vector<std::string> more) const {
    std::vector<std::string> arguments{"simulate", "-p",      path("psf"),          "-o",
                                       path(name), "--truth", path(name + "-truth")};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  void run(const std::string &name, std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"-w", "6500,6540,0.8"});
    run_subcommand(command(name, more));
  }

 private:
  ScratchDirectory folder_;
};

struct Image {
  explicit Image(const std::string &path, int64_t badmask = 0)
      : file(FitsFile::image(context, path, badmask)), view(file.image()) {}
  float pixel(int64_t i) const { return static_cast<const float *>(view.pixels)[i]; }
  float ivar(int64_t i) const { return static_cast<const float *>(view.ivar)[i]; }
  int64_t size() const { return view.nx * view.ny; }

  Context context;
  FitsFile file;
  specex_image view;
};

struct Truth {
  explicit Truth(const std::string &path)
      : file(FitsFile::frame(context, path)), view(file.frame()) {}
  double sum() const {
    double sum = 0;
    for (int64_t i = 0; i < view.nspec * view.nwave; ++i) sum += view.flux[i];
    return sum;
  }

  Context context;
  FitsFile file;
  specex_frame view;
};

void simulate_same_seed_gives_same_bytes(void **) {
  const Simulator simulator;
  const std::vector<std::string> faults{"--cosmics", "20", "--badcolumns", "2", "--seed"};
  const auto with_seed = [&](const char *seed) {
    std::vector<std::string> arguments = faults;
    arguments.push_back(seed);
    return arguments;
  };
  simulator.run("one", with_seed("4"));
  simulator.run("two", with_seed("4"));
  simulator.run("other", with_seed("5"));
  for (const char *kind : {"", "-truth"}) {
    const auto bytes = [&](const std::string &name) {
      return read_bytes(simulator.path(name + kind));
    };
    assert_true(bytes("one") == bytes("two"));
    assert_true(bytes("one") != bytes("other"));
  }
}

void simulate_without_noise_is_the_forward_model(void **) {
  const Simulator simulator;
  simulator.run("clean", {"--no-noise"});
  const Image image(simulator.path("clean"));
  const Truth truth(simulator.path("clean-truth"));
  assert_int_equal(truth.view.nspec, nspec);
  assert_int_equal(truth.view.nwave, 51);

  const Context context;
  const FitsFile psf_file = FitsFile::psf(context, simulator.path("psf"));
  const specex_psf psf = psf_file.psf();
  check(specex_set_psf(context.get(), &psf), context.get());
  specex_grid grid{};
  grid.struct_size = sizeof grid;
  check(specex_grid_from_range(6500, 6540, 0.8, &grid), nullptr);
  std::vector<double> expected(static_cast<size_t>(image.size()));
  check(specex_project(context.get(), &grid, 0, nspec, truth.view.flux, image.view.nx,
                       image.view.ny, expected.data()),
        context.get());
  for (int64_t i = 0; i < image.size(); ++i) {
    const double value = expected[static_cast<size_t>(i)];
    assert_true(image.pixel(i) == static_cast<float>(value));
    assert_true(std::abs(image.ivar(i) * (value + 9) - 1) < 1e-6);
  }
}

void simulate_truth_as_spectra_gives_the_same_image(void **) {
  const Simulator simulator;
  simulator.run("first");
  run_subcommand(
      simulator.command("second", {"--spectra", simulator.path("first-truth")}));
  const Image first(simulator.path("first")), second(simulator.path("second"));
  assert_memory_equal(first.view.pixels, second.view.pixels,
                      static_cast<size_t>(first.size()) * sizeof(float));
}

// Every spot sums to 1: the light on the CCD is the light of the truth.
void simulate_finer_bins_conserve_the_light(void **) {
  const Simulator simulator;
  simulator.run("coarse", {"--no-noise"});
  simulator.run("fine", {"--no-noise", "--oversample", "5"});
  const Truth coarse(simulator.path("coarse-truth")), fine(simulator.path("fine-truth"));
  assert_int_equal(fine.view.nwave, coarse.view.nwave);
  assert_true(std::abs(fine.view.wavelength[7] - coarse.view.wavelength[7]) < 1e-9);
  assert_true(std::abs(fine.sum() / coarse.sum() - 1) < 1e-3);

  const Image image(simulator.path("fine"));
  double light = 0;
  for (int64_t i = 0; i < image.size(); ++i) light += image.pixel(i);
  assert_true(std::abs(light / (fine.sum() * 0.8) - 1) < 1e-6);
  // Light between the centres of the coarse bins falls on other pixels.
  assert_memory_not_equal(image.view.pixels, Image(simulator.path("coarse")).view.pixels,
                          static_cast<size_t>(image.size()) * sizeof(float));
}

void simulate_noise_has_the_variance_it_says(void **) {
  const Simulator simulator;
  simulator.run("clean", {"--no-noise", "--readnoise", "2"});
  simulator.run("noisy", {"--readnoise", "2"});
  simulator.run("data", {"--readnoise", "2", "--ivar", "data"});
  const Image clean(simulator.path("clean")), noisy(simulator.path("noisy")),
      data(simulator.path("data"));
  const auto n = static_cast<double>(noisy.size());
  double mean = 0, square = 0;
  for (int64_t i = 0; i < noisy.size(); ++i) {
    assert_true(noisy.ivar(i) == clean.ivar(i));
    const double pull = (noisy.pixel(i) - clean.pixel(i)) * std::sqrt(noisy.ivar(i));
    mean += pull / n;
    square += pull * pull / n;
    const double variance = std::max(data.pixel(i), 0.0f) + 4;
    assert_true(std::abs(data.ivar(i) * variance - 1) < 1e-5);
  }
  assert_true(std::abs(mean) < 4 / std::sqrt(n));
  assert_true(std::abs(square - 1) < 4 * std::sqrt(2 / n));
}

void simulate_faults_are_masked_and_leave_the_rest_alone(void **) {
  const Simulator simulator;
  simulator.run("clean");
  simulator.run("faulty", {"--cosmics", "30", "--badcolumns", "1"});
  const Image clean(simulator.path("clean"));
  const Image all(simulator.path("faulty")), no_columns(simulator.path("faulty"), 1),
      no_cosmics(simulator.path("faulty"), 16), good(simulator.path("faulty"));
  const Image masked(simulator.path("faulty"), SPECEX_BADMASK_DEFAULT);
  int64_t ncolumn = 0, ncosmic = 0;
  for (int64_t i = 0; i < clean.size(); ++i) {
    assert_true(all.ivar(i) == clean.ivar(i));
    ncolumn += no_columns.ivar(i) == 0;
    ncosmic += no_cosmics.ivar(i) == 0;
    const bool bad = no_columns.ivar(i) == 0 || no_cosmics.ivar(i) == 0;
    assert_true((masked.ivar(i) == 0) == bad);
    if (!bad) assert_true(all.pixel(i) == clean.pixel(i));
  }
  assert_int_equal(ncolumn, clean.view.ny);
  assert_true(ncosmic > 100 && ncosmic < 30 * 400);
}

void simulate_some_fibers_leaves_the_others_dark(void **) {
  const Simulator simulator;
  simulator.run("all", {"--no-noise"});
  simulator.run("some", {"--no-noise", "-s", "3", "-n", "1"});
  const Truth all(simulator.path("all-truth")), some(simulator.path("some-truth"));
  assert_int_equal(some.view.nspec, 1);
  assert_int_equal(some.view.first_fiber, 3);
  for (int64_t bin = 0; bin < some.view.nwave; ++bin)
    assert_true(some.view.flux[bin] == all.view.flux[3 * all.view.nwave + bin]);
  const Image image(simulator.path("some"));
  double light = 0;
  for (int64_t i = 0; i < image.size(); ++i) light += image.pixel(i);
  assert_true(std::abs(light / (some.sum() * 0.8) - 1) < 1e-6);
}

void simulate_senseless_request_is_refused(void **) {
  const Simulator simulator;
  for (const std::vector<std::string> &more :
       {std::vector<std::string>{"-s", "5"},
        {"-s", "2", "-n", "4"},
        {"-n", "0"},
        {"--readnoise", "-1"},
        {"--cosmics", "-1"},
        {"--oversample", "0"},
        {"--ivar", "guess"},
        {"-w", "6500,6400,0.8"},
        {"--spectra", "spectra.fits", "-w", "6500,6540,0.8"},
        {"--spectra", "no-such-file.fits"}})
    assert_int_equal(exit_code_of_subcommand(simulator.command("none", more)),
                     exit_configuration);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(simulate_same_seed_gives_same_bytes),
      cmocka_unit_test(simulate_without_noise_is_the_forward_model),
      cmocka_unit_test(simulate_truth_as_spectra_gives_the_same_image),
      cmocka_unit_test(simulate_finer_bins_conserve_the_light),
      cmocka_unit_test(simulate_noise_has_the_variance_it_says),
      cmocka_unit_test(simulate_faults_are_masked_and_leave_the_rest_alone),
      cmocka_unit_test(simulate_some_fibers_leaves_the_others_dark),
      cmocka_unit_test(simulate_senseless_request_is_refused),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
