// SPDX-License-Identifier: BSD-3-Clause
//
// Every argument of the functions that plan, extract, assemble and project, with every
// value that it must not have: the answer is a status that says so, and nothing breaks.
#include <specex/specex.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <vector>

#include "support/cmocka.hpp"
#include "support/random.hpp"
#include "support/synthetic_case.hpp"

namespace {

using specex_test::Case;
using specex_test::Context;
using specex_test::Frame;
using specex_test::Results;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();
constexpr int32_t low = INT32_MIN;
constexpr int32_t high = INT32_MAX;
constexpr int64_t longest = INT64_MAX;

// A case with everything that a call needs, all of it valid.
struct Stage {
  Case c = specex_test::make_case({.nspec = 4, .nwave = 12});
  Context context{specex_test::small_options(), c.psf.view()};
  specex_image image = c.image();
  specex_grid grid = c.grid;
  std::vector<specex_patch> patches = specex_test::plan(context, grid, 0, 4);
  int64_t n = static_cast<int64_t>(patches.size());
  Results results{patches};
  Frame frame{c, 0, 4};

  specex_status extract_frame() {
    return specex_extract_frame(context, &image, &grid, 0, 4, &frame.frame);
  }
  specex_status extract_patches() {
    return specex_extract_patches(context, &image, patches.data(), n,
                                  results.results.data());
  }
  specex_status assemble() {
    return specex_assemble(context, patches.data(), results.results.data(), n,
                           &frame.frame);
  }
  specex_status plan() {
    int64_t count = 0;
    return specex_plan(context, &grid, 0, 4, nullptr, 0, &count);
  }
};

using Spoil = std::function<void(Stage &)>;

// Each change alone makes the call fail with the status, and say why.
void assert_refused(specex_status (Stage::*call)(), specex_status expected,
                    const std::vector<Spoil> &changes) {
  for (size_t k = 0; k < changes.size(); ++k) {
    Stage stage;
    stage.frame.get();
    changes[k](stage);
    const specex_status status = (stage.*call)();
    if (status != expected)
      fail_msg("change %zu gave %s, expected %s", k, specex_status_name(status),
               specex_status_name(expected));
    assert_true(std::strlen(specex_last_error(stage.context)) > 5);
  }
}

void arguments_stage_is_valid_to_begin_with(void **) {
  Stage stage;
  stage.frame.get();
  assert_status(stage.plan(), SPECEX_OK);
  assert_status(stage.extract_patches(), SPECEX_OK);
  assert_status(stage.assemble(), SPECEX_OK);
  assert_status(stage.extract_frame(), SPECEX_OK);
}

void arguments_of_images_are_checked(void **) {
  const std::vector<Spoil> bad{
      [](Stage &s) { s.image.type = 0; },
      [](Stage &s) { s.image.type = 3; },
      [](Stage &s) { s.image.type = low; },
      [](Stage &s) { s.image.memory = -1; },
      [](Stage &s) { s.image.memory = 2; },
      [](Stage &s) { s.image.memory = high; },
      [](Stage &s) { s.image.nx = 0; },
      [](Stage &s) { s.image.nx = -1; },
      [](Stage &s) { s.image.nx = longest; },
      [](Stage &s) { s.image.ny = 0; },
      [](Stage &s) { s.image.ny = INT64_MIN; },
      [](Stage &s) { s.image.ny = longest; },
      [](Stage &s) { s.image.pixels = nullptr; },
      [](Stage &s) { s.image.ivar = nullptr; },
      [](Stage &s) { s.image.pixels_stride = s.image.nx - 1; },
      [](Stage &s) { s.image.pixels_stride = 0; },
      [](Stage &s) { s.image.pixels_stride = -s.image.nx; },
      [](Stage &s) { s.image.pixels_stride = longest; },
      [](Stage &s) { s.image.ivar_stride = s.image.nx - 1; },
      [](Stage &s) { s.image.ivar_stride = INT64_MIN; },
      [](Stage &s) { s.image.ivar_stride = longest; },
  };
  assert_refused(&Stage::extract_patches, SPECEX_ERROR_ARGUMENT, bad);
  for (const Spoil &change : bad)  // the model may be refused first where nx or ny is off
    assert_refused(&Stage::extract_frame, SPECEX_ERROR_ARGUMENT, {change});
}

void arguments_of_grids_are_checked(void **) {
  const std::vector<Spoil> bad{
      [](Stage &s) { s.grid.wavemin = nan; },
      [](Stage &s) { s.grid.wavemin = inf; },
      [](Stage &s) { s.grid.wavemin = 0.0; },
      [](Stage &s) { s.grid.wavemin = -6000.0; },
      [](Stage &s) { s.grid.wavestep = nan; },
      [](Stage &s) { s.grid.wavestep = inf; },
      [](Stage &s) { s.grid.wavestep = 0.0; },
      [](Stage &s) { s.grid.wavestep = -1.0; },
      [](Stage &s) { s.grid.nwave = 0; },
      [](Stage &s) { s.grid.nwave = -1; },
      [](Stage &s) { s.grid.nwave = longest; },
      [](Stage &s) { s.grid.nwave = INT64_MIN; },
  };
  assert_refused(&Stage::plan, SPECEX_ERROR_ARGUMENT, bad);
  assert_refused(&Stage::extract_frame, SPECEX_ERROR_ARGUMENT, bad);
  assert_refused(&Stage::plan, SPECEX_ERROR_RANGE,
                 {
                     [](Stage &s) { s.grid.wavemin = 5000.0; },
                     [](Stage &s) { s.grid.wavemin = 1e300; },
                     [](Stage &s) { s.grid.wavemin = 1e-300; },
                     [](Stage &s) { s.grid.wavestep = 1e300; },
                     [](Stage &s) { s.grid.nwave = 1 << 20; },
                 });
}

void arguments_of_frames_are_checked(void **) {
  assert_refused(&Stage::extract_frame, SPECEX_ERROR_ARGUMENT,
                 {
                     [](Stage &s) { s.frame.frame.first_fiber = 1; },
                     [](Stage &s) { s.frame.frame.first_fiber = -1; },
                     [](Stage &s) { s.frame.frame.nspec = 3; },
                     [](Stage &s) { s.frame.frame.nspec = 0; },
                     [](Stage &s) { s.frame.frame.nspec = high; },
                     [](Stage &s) { s.frame.frame.nwave = 11; },
                     [](Stage &s) { s.frame.frame.nwave = longest; },
                     [](Stage &s) { s.frame.frame.ndiag = 7; },
                     [](Stage &s) { s.frame.frame.ndiag = 0; },
                     [](Stage &s) { s.frame.frame.ndiag = high; },
                     [](Stage &s) { s.frame.frame.memory = -1; },
                     [](Stage &s) { s.frame.frame.memory = 2; },
                     [](Stage &s) { s.frame.frame.model_nx += 1; },
                     [](Stage &s) { s.frame.frame.model_ny = 0; },
                     [](Stage &s) { s.frame.frame.model_ny = longest; },
                 });
  assert_refused(&Stage::assemble, SPECEX_ERROR_ARGUMENT,
                 {
                     [](Stage &s) { s.frame.frame.first_fiber = -1; },
                     [](Stage &s) { s.frame.frame.first_fiber = high; },
                     [](Stage &s) { s.frame.frame.nspec = 0; },
                     [](Stage &s) { s.frame.frame.nspec = high; },
                     [](Stage &s) { s.frame.frame.nwave = 0; },
                     [](Stage &s) { s.frame.frame.nwave = longest; },
                     [](Stage &s) { s.frame.frame.ndiag = 0; },
                     [](Stage &s) { s.frame.frame.ndiag = 7; },
                     [](Stage &s) { s.frame.frame.ndiag = low; },
                     [](Stage &s) { s.frame.frame.memory = SPECEX_MEMORY_DEVICE; },
                     [](Stage &s) { s.frame.frame.memory = low; },
                     [](Stage &s) { s.frame.frame.model_nx = 0; },
                     [](Stage &s) { s.frame.frame.model_ny = -3; },
                     [](Stage &s) { s.frame.frame.model_ny = longest; },
                 });
}

// Stage computes on the CPU.
void arguments_in_device_memory_need_the_cuda_backend(void **) {
  const Spoil image = [](Stage &s) { s.image.memory = SPECEX_MEMORY_DEVICE; };
  const Spoil frame = [](Stage &s) { s.frame.frame.memory = SPECEX_MEMORY_DEVICE; };
  assert_refused(&Stage::extract_frame, SPECEX_ERROR_UNSUPPORTED, {image, frame});
  assert_refused(&Stage::extract_patches, SPECEX_ERROR_UNSUPPORTED, {image});
  Stage stage;
  image(stage);
  assert_status(stage.extract_frame(), SPECEX_ERROR_UNSUPPORTED);
  assert_non_null(std::strstr(specex_last_error(stage.context), "image.memory"));
}

void arguments_hostile_frames_without_arrays_are_harmless(void **) {
  Stage stage;
  for (const int32_t first : {0, 1 << 20, high})
    for (const int32_t nspec : {1, 1 << 20, high})
      for (const int64_t size : {int64_t{0}, int64_t{1}, int64_t{1} << 24, longest}) {
        specex_frame frame{};
        frame.struct_size = sizeof frame;
        frame.first_fiber = first;
        frame.nspec = nspec;
        frame.nwave = frame.model_nx = frame.model_ny = size;
        const specex_status status =
            specex_assemble(stage.context, stage.patches.data(),
                            stage.results.results.data(), stage.n, &frame);
        assert_true(status == SPECEX_OK || status == SPECEX_ERROR_ARGUMENT);
      }
}

void arguments_of_patches_are_checked(void **) {
  const std::vector<Spoil> bad{
      [](Stage &s) { s.patches[1].wavemin = nan; },
      [](Stage &s) { s.patches[1].wavemin = -inf; },
      [](Stage &s) { s.patches[1].wavestep = 0.0; },
      [](Stage &s) { s.patches[1].wavestep = nan; },
      [](Stage &s) { s.patches[1].wavestep = inf; },
      [](Stage &s) { s.patches[1].first_fiber = -1; },
      [](Stage &s) { s.patches[1].first_fiber = high; },
      [](Stage &s) { s.patches[1].nfiber = 0; },
      [](Stage &s) { s.patches[1].nfiber = high; },
      [](Stage &s) { s.patches[1].first_bin = low; },
      [](Stage &s) { s.patches[1].first_bin = high; },
      [](Stage &s) { s.patches[1].nbin = 0; },
      [](Stage &s) { s.patches[1].nbin = high; },
      [](Stage &s) { s.patches[1].nkeep = -1; },
      [](Stage &s) { s.patches[1].nkeep = s.patches[1].nbin + 1; },
      [](Stage &s) { s.patches[1].nkeep = high; },
      [](Stage &s) { s.patches[1].pad_first_fiber = -1; },
      [](Stage &s) { s.patches[1].pad_first_fiber = high; },
      [](Stage &s) { s.patches[1].pad_nfiber = 0; },
      [](Stage &s) { s.patches[1].pad_nfiber = 5; },
      [](Stage &s) { s.patches[1].pad_nfiber = high; },
      [](Stage &s) { s.patches[1].pad_first_bin = low; },
      [](Stage &s) { s.patches[1].pad_first_bin = high; },
      [](Stage &s) { s.patches[1].pad_nbin = 0; },
      [](Stage &s) { s.patches[1].pad_nbin = high; },
      [](Stage &s) { s.patches[1].ymin = s.patches[1].ymax + 1; },
      [](Stage &s) { s.patches[1].ymin = low; },
      [](Stage &s) { s.patches[1].xmax = s.patches[1].xmin - 1; },
      [](Stage &s) { s.patches[1].xmax = high; },
      [](Stage &s) { s.patches[1].wavestep = 1e308; },
      [](Stage &s) { s.patches[1].ndiag = 0; },
      [](Stage &s) { s.patches[1].ndiag = 10; },
      [](Stage &s) { s.patches[1].ndiag = high; },
      [](Stage &s) { s.n = -1; },
      [](Stage &s) { s.n = longest; },
  };
  assert_refused(&Stage::extract_patches, SPECEX_ERROR_ARGUMENT, bad);
  assert_refused(&Stage::assemble, SPECEX_ERROR_ARGUMENT, bad);
}

// A patch that is allowed but senseless gives finite outputs.
void arguments_senseless_patches_are_harmless(void **) {
  const std::vector<Spoil> senseless{
      [](Stage &s) { s.patches[0].wavemin = 1e308; },
      [](Stage &s) { s.patches[0].wavemin = -1e308; },
      [](Stage &s) { s.patches[0].wavestep = 1e-308; },
      [](Stage &s) { s.patches[0].ymin = s.patches[0].ymax; },
      [](Stage &s) { s.patches[0].xmin = s.patches[0].xmax; },
      [](Stage &s) { s.patches[0].nkeep = 0; },
      [](Stage &s) { s.patches[0].first_bundle_fiber = low; },
      [](Stage &s) {
        s.patches[0].ymax = low + (s.patches[0].ymax - s.patches[0].ymin);
        s.patches[0].ymin = low;
      },
      [](Stage &s) {
        s.patches[0].xmin += high - s.patches[0].xmax;
        s.patches[0].xmax = high;
      },
  };
  for (const int32_t backend : {SPECEX_BACKEND_CPU, SPECEX_BACKEND_REFERENCE})
    for (const Spoil &change : senseless) {
      Stage stage;
      const Context context(specex_test::small_options(backend), stage.c.psf.view());
      change(stage);
      const specex_status status =
          specex_extract_patches(context, &stage.image, stage.patches.data(), stage.n,
                                 stage.results.results.data());
      assert_true(status == SPECEX_OK || status == SPECEX_PARTIAL);
      assert_true(stage.results.results[0].flux == stage.results.doubles[0].data());
      const size_t bins = stage.results.masks[0].size();
      for (size_t k = 0; k < bins * (4 + 9); ++k)  // all but the model
        assert_true(std::isfinite(stage.results.doubles[0][k]));
      assert_status(stage.results.results[1].status, SPECEX_OK);
    }
}

void arguments_null_pointers_are_refused_one_by_one(void **) {
  Stage s;
  specex_frame *frame = s.frame.get();
  int64_t count = 0;
  const specex_patch *patches = s.patches.data();
  specex_result *results = s.results.results.data();
  const specex_status expected = SPECEX_ERROR_ARGUMENT;
  assert_status(specex_plan(s.context, nullptr, 0, 4, nullptr, 0, &count), expected);
  assert_status(specex_plan(s.context, &s.grid, 0, 4, nullptr, 0, nullptr), expected);
  assert_status(specex_plan(s.context, &s.grid, 0, 4, nullptr, 9, &count), expected);
  assert_status(specex_extract_patches(s.context, nullptr, patches, s.n, results),
                expected);
  assert_status(specex_extract_patches(s.context, &s.image, nullptr, s.n, results),
                expected);
  assert_status(specex_extract_patches(s.context, &s.image, patches, s.n, nullptr),
                expected);
  assert_status(specex_assemble(s.context, nullptr, results, s.n, frame), expected);
  assert_status(specex_assemble(s.context, patches, nullptr, s.n, frame), expected);
  assert_status(specex_assemble(s.context, patches, results, s.n, nullptr), expected);
  assert_status(specex_extract_frame(s.context, nullptr, &s.grid, 0, 4, frame), expected);
  assert_status(specex_extract_frame(s.context, &s.image, nullptr, 0, 4, frame),
                expected);
  assert_status(specex_extract_frame(s.context, &s.image, &s.grid, 0, 4, nullptr),
                expected);
  double value = 0.0;
  const double *truth = s.c.truth.data();
  assert_status(specex_project(s.context, nullptr, 0, 4, truth, 1, 1, &value), expected);
  assert_status(specex_project(s.context, &s.grid, 0, 4, nullptr, 1, 1, &value),
                expected);
  assert_status(specex_project(s.context, &s.grid, 0, 4, truth, 1, 1, nullptr), expected);
  assert_status(specex_get_psf_info(s.context, nullptr), expected);
  assert_status(specex_grid_from_range(1, 2, 1, nullptr), expected);
}

void arguments_plan_capacity_is_respected(void **) {
  Stage s;
  std::vector<specex_patch> room(s.patches.size() + 1);
  std::memset(room.data(), 0x5a, room.size() * sizeof(specex_patch));
  room[0].struct_size = sizeof room[0];
  const std::vector<specex_patch> before = room;
  int64_t count = 0;
  for (const int64_t capacity : {INT64_MIN, int64_t{-1}, int64_t{0}, s.n - 1}) {
    count = 0;
    assert_status(specex_plan(s.context, &s.grid, 0, 4, room.data(), capacity, &count),
                  SPECEX_ERROR_ARGUMENT);
    assert_int_equal(count, s.n);
    assert_memory_equal(room.data(), before.data(), room.size() * sizeof(specex_patch));
  }
  assert_status(specex_plan(s.context, &s.grid, 0, 4, room.data(), longest, &count),
                SPECEX_OK);
  assert_memory_equal(room.data(), s.patches.data(), s.patches.size() * sizeof room[0]);
  assert_memory_equal(&room.back(), &before.back(), sizeof room[0]);
  for (const int32_t first : {-1, 4, low, high})
    assert_status(specex_plan(s.context, &s.grid, first, 1, nullptr, 0, &count),
                  SPECEX_ERROR_RANGE);
  for (const int32_t nspec : {0, -1, 5, low, high})
    assert_status(specex_plan(s.context, &s.grid, 0, nspec, nullptr, 0, &count),
                  SPECEX_ERROR_RANGE);
}

// A struct of a later release, whose last fields this one does not know.
template <class T>
struct Later {
  T known{};
  int64_t unknown[3]{};

  Later() { known.struct_size = sizeof *this; }
  explicit Later(const T &own) : known(own) { known.struct_size = sizeof *this; }
};

void arguments_arrays_of_a_later_release_are_served(void **) {
  Stage s;
  assert_status(s.extract_patches(), SPECEX_OK);
  const auto expected = s.results.doubles;
  std::vector<Later<specex_patch>> patches(s.patches.size() + 1);
  patches.back().unknown[0] = 7;               // no element of the plan
  for (size_t k = 1; k < patches.size(); ++k)  // only the first need be set
    patches[k].known.struct_size = 0x5a5a;
  int64_t count = 0;
  assert_status(specex_plan(s.context, &s.grid, 0, 4, &patches[0].known, s.n, &count),
                SPECEX_OK);
  for (size_t k = 0; k < s.patches.size(); ++k) {
    assert_int_equal(patches[k].known.struct_size, sizeof patches[k]);
    patches[k].known.struct_size = sizeof(specex_patch);
    assert_memory_equal(&patches[k].known, &s.patches[k], sizeof(specex_patch));
    patches[k].known.struct_size = sizeof patches[k];
    assert_int_equal(patches[k].unknown[0], 0);
  }
  assert_int_equal(patches.back().unknown[0], 7);

  Results again(s.patches);
  std::vector<Later<specex_result>> results(again.results.begin(), again.results.end());
  assert_status(specex_extract_patches(s.context, &s.image, &patches[0].known, s.n,
                                       &results[0].known),
                SPECEX_OK);
  for (size_t k = 0; k < results.size(); ++k) {
    assert_true(specex_test::same_bits(again.doubles[k], expected[k]));
    assert_int_equal(results[k].known.path, s.results.results[k].path);
  }
  Frame frame(s.c, 0, 4);
  assert_status(
      specex_assemble(s.context, &patches[0].known, &results[0].known, s.n, frame.get()),
      SPECEX_OK);
  assert_status(s.assemble(), SPECEX_OK);

  results[1].known.struct_size = sizeof(specex_result);
  assert_status(specex_extract_patches(s.context, &s.image, &patches[0].known, s.n,
                                       &results[0].known),
                SPECEX_ERROR_VERSION);
  for (auto &patch : patches) patch.known.struct_size = sizeof(specex_patch) + 4;
  assert_status(specex_extract_patches(s.context, &s.image, &patches[0].known, s.n,
                                       s.results.results.data()),
                SPECEX_ERROR_VERSION);
  for (const int64_t unset : {int64_t{0}, int64_t{1}, int64_t{-1}, INT64_MAX}) {
    for (specex_patch &patch : s.patches) patch.struct_size = unset;
    assert_status(specex_plan(s.context, &s.grid, 0, 4, s.patches.data(), s.n, &count),
                  SPECEX_OK);
    for (const specex_patch &patch : s.patches)
      assert_int_equal(patch.struct_size, sizeof patch);
  }
}

void arguments_assembled_frames_have_the_grid_of_their_patches(void **) {
  Stage s;
  assert_status(s.extract_patches(), SPECEX_OK);
  s.frame.get();
  assert_status(s.assemble(), SPECEX_OK);
  for (size_t w = 0; w < s.frame.wavelength.size(); ++w)
    assert_near(s.frame.wavelength[w],
                s.grid.wavemin + static_cast<double>(w) * s.grid.wavestep, 0.0);
  s.frame.frame.ndiag = 7;  // refused before anything is written
  s.frame.flux[0] = -7.0;
  assert_status(s.assemble(), SPECEX_ERROR_ARGUMENT);
  assert_near(s.frame.flux[0], -7.0, 0.0);
}

void arguments_of_projections_are_checked(void **) {
  Stage s;
  std::vector<double> image(s.c.pixels.size(), 7.0);
  const auto project = [&](int64_t nx, int64_t ny, int32_t first, int32_t nspec) {
    return specex_project(s.context, &s.grid, first, nspec, s.c.truth.data(), nx, ny,
                          image.data());
  };
  for (const int64_t size : {int64_t{0}, int64_t{-1}, INT64_MIN, longest}) {
    assert_status(project(size, 10, 0, 4), SPECEX_ERROR_ARGUMENT);
    assert_status(project(10, size, 0, 4), SPECEX_ERROR_ARGUMENT);
  }
  for (const int32_t first : {-1, 1, low, high})
    assert_status(project(s.c.nx, s.c.ny, first, 4), SPECEX_ERROR_RANGE);
  s.grid.wavemin = 5000.0;
  assert_status(project(s.c.nx, s.c.ny, 0, 4), SPECEX_ERROR_RANGE);
  s.grid = s.c.grid;
  for (const double wrong : {nan, inf, -inf}) {
    s.c.truth.back() = wrong;
    assert_status(project(s.c.nx, s.c.ny, 0, 4), SPECEX_ERROR_ARGUMENT);
  }
  for (const double pixel : image) assert_near(pixel, 7.0, 0.0);  // untouched
  std::fill(s.c.truth.begin(), s.c.truth.end(), 1.7e308);  // finite, but not its sums
  s.grid.wavestep = 2.0;
  assert_status(project(s.c.nx, s.c.ny, 0, 4), SPECEX_ERROR_ARGUMENT);
  for (const double pixel : image) assert_near(pixel, 0.0, 0.0);
}

void arguments_of_ranges_are_checked(void **) {
  specex_grid grid{};
  grid.struct_size = sizeof grid;
  assert_status(specex_grid_from_range(6000.0, 6100.0, 0.8, &grid), SPECEX_OK);
  assert_int_equal(grid.nwave, 126);
  assert_near(grid.wavemin, 6000.0, 0.0);
  assert_near(grid.wavestep, 0.8, 0.0);
  const specex_grid before = grid;
  for (const double wrong : {nan, inf, -inf}) {
    assert_status(specex_grid_from_range(wrong, 6100, 0.8, &grid), SPECEX_ERROR_ARGUMENT);
    assert_status(specex_grid_from_range(6000, wrong, 0.8, &grid), SPECEX_ERROR_ARGUMENT);
    assert_status(specex_grid_from_range(6000, 6100, wrong, &grid),
                  SPECEX_ERROR_ARGUMENT);
  }
  for (const double step : {0.0, -1.0, 1e-300, 1e-9})
    assert_status(specex_grid_from_range(6000, 6100, step, &grid), SPECEX_ERROR_ARGUMENT);
  assert_status(specex_grid_from_range(6100, 6000, 0.8, &grid), SPECEX_ERROR_ARGUMENT);
  assert_status(specex_grid_from_range(-10, 10, 1, &grid), SPECEX_ERROR_ARGUMENT);
  assert_memory_equal(&grid, &before, sizeof grid);
}

// ------------------------------------------------------------------ struct sizes

// A caller's struct of `size` bytes in a room of its own, whose later bytes may be set.
template <class T>
struct Sized {
  alignas(8) unsigned char bytes[sizeof(T) + 64] = {};
  Sized(const T &value, int64_t size, unsigned char tail) {
    std::memset(bytes + sizeof(T), tail, 64);
    std::memcpy(bytes, &value, sizeof(T));
    std::memcpy(bytes, &size, sizeof size);
  }
  T *get() { return reinterpret_cast<T *>(bytes); }
};

// Sizes 0 to sizeof + 64, with and without unknown fields set.
template <class T, class Call>
void assert_sizes(const T &value, Call &&call) {
  constexpr auto own = static_cast<int64_t>(sizeof(T));
  for (const auto tail : {static_cast<unsigned char>(0), static_cast<unsigned char>(1)})
    for (int64_t size = 0; size <= own + 64; ++size) {
      Sized<T> sized(value, size, tail);
      const specex_status status = call(sized.get());
      const bool valid = size == own || (size > own && tail == 0);
      if (status != (valid ? SPECEX_OK : SPECEX_ERROR_VERSION))
        fail_msg("size %lld of %lld with tail %d gave %s", static_cast<long long>(size),
                 static_cast<long long>(own), tail, specex_status_name(status));
    }
  for (const int64_t size : {INT64_MIN, int64_t{-1}, longest}) {
    Sized<T> sized(value, size, 0);
    assert_status(call(sized.get()), SPECEX_ERROR_VERSION);
  }
}

void arguments_struct_sizes_are_negotiated_in_every_function(void **) {
  Stage s;
  specex_frame *frame = s.frame.get();
  int64_t count = 0;
  specex_options options = specex_test::small_options();
  assert_sizes(options, [](const specex_options *given) {
    specex_context *made = nullptr;
    const specex_status status = specex_create(given, &made);
    specex_destroy(made);
    return status;
  });
  assert_sizes(*s.c.psf.view(),
               [&](const specex_psf *psf) { return specex_set_psf(s.context, psf); });
  assert_sizes(specex_psf_info{}, [&](specex_psf_info *info) {
    return specex_get_psf_info(s.context, info);
  });
  assert_sizes(s.grid, [&](specex_grid *grid) {
    return specex_grid_from_range(6000, 6010, 1, grid);
  });
  assert_sizes(s.grid, [&](const specex_grid *grid) {
    return specex_plan(s.context, grid, 0, 4, nullptr, 0, &count);
  });
  assert_sizes(s.image, [&](const specex_image *image) {
    return specex_extract_patches(s.context, image, s.patches.data(), 1,
                                  s.results.results.data());
  });
  assert_sizes(s.patches[0], [&](const specex_patch *patch) {
    return specex_extract_patches(s.context, &s.image, patch, 1,
                                  s.results.results.data());
  });
  assert_sizes(s.results.results[0], [&](specex_result *result) {
    return specex_extract_patches(s.context, &s.image, s.patches.data(), 1, result);
  });
  assert_sizes(s.patches[0], [&](const specex_patch *patch) {
    return specex_assemble(s.context, patch, s.results.results.data(), 1, frame);
  });
  assert_sizes(s.results.results[0], [&](const specex_result *result) {
    return specex_assemble(s.context, s.patches.data(), result, 1, frame);
  });
  assert_sizes(*frame, [&](specex_frame *given) {
    return specex_assemble(s.context, s.patches.data(), s.results.results.data(), 1,
                           given);
  });
  specex_image image = s.image;
  assert_sizes(image, [&](const specex_image *given) {
    return specex_extract_frame(s.context, given, &s.grid, 0, 4, frame);
  });
  assert_sizes(*frame, [&](specex_frame *given) {
    return specex_extract_frame(s.context, &s.image, &s.grid, 0, 4, given);
  });
}

// ------------------------------------------------------------------ random calls

// Anything in any order: statuses only, no crash (and, with a sanitizer, no report).
void arguments_random_calls_never_break(void **) {
  specex_test::Random random(42);
  const int32_t numbers[] = {0, 1, 2, 3, 4, 5, -1, 7, 12, 1000, low, high};
  const double reals[] = {0.0, 1.0, 6000.0, 6005.5, -1.0, 1e300, nan, inf, 0.5};
  Stage s;
  std::vector<double> image(s.c.pixels.size());
  int refused = 0;
  for (int k = 0; k < 3000; ++k) {
    const auto number = [&] { return numbers[random.below(12)]; };
    const auto real = [&] { return reals[random.below(9)]; };
    specex_grid grid = s.grid;
    if (random.below(2) == 0) grid.wavemin = real();
    if (random.below(2) == 0) grid.wavestep = real();
    if (random.below(2) == 0) grid.nwave = number();
    int64_t count = 0;
    specex_status status = SPECEX_OK;
    double x = real();
    double y = real();
    switch (random.below(4)) {
      case 0:
        status = specex_plan(s.context, &grid, number(), number(), nullptr, 0, &count);
        break;
      case 1:
        grid.nwave = std::min<int64_t>(grid.nwave, s.c.grid.nwave);
        status = specex_project(s.context, &grid, number(), number(), s.c.truth.data(),
                                s.c.nx, s.c.ny, image.data());
        break;
      case 2:
        status = specex_trace(s.context, number(), &x, 1, &x, &y);
        break;
      default:
        status = specex_grid_from_range(real(), real(), real(), &grid);
    }
    if (status != SPECEX_OK) ++refused;
    assert_true(status == SPECEX_OK || status == SPECEX_ERROR_ARGUMENT ||
                status == SPECEX_ERROR_RANGE);
  }
  assert_true(refused > 1000 && refused < 3000);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(arguments_stage_is_valid_to_begin_with),
      cmocka_unit_test(arguments_of_images_are_checked),
      cmocka_unit_test(arguments_of_grids_are_checked),
      cmocka_unit_test(arguments_of_frames_are_checked),
      cmocka_unit_test(arguments_in_device_memory_need_the_cuda_backend),
      cmocka_unit_test(arguments_hostile_frames_without_arrays_are_harmless),
      cmocka_unit_test(arguments_of_patches_are_checked),
      cmocka_unit_test(arguments_senseless_patches_are_harmless),
      cmocka_unit_test(arguments_null_pointers_are_refused_one_by_one),
      cmocka_unit_test(arguments_plan_capacity_is_respected),
      cmocka_unit_test(arguments_arrays_of_a_later_release_are_served),
      cmocka_unit_test(arguments_assembled_frames_have_the_grid_of_their_patches),
      cmocka_unit_test(arguments_of_projections_are_checked),
      cmocka_unit_test(arguments_of_ranges_are_checked),
      cmocka_unit_test(arguments_struct_sizes_are_negotiated_in_every_function),
      cmocka_unit_test(arguments_random_calls_never_break),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
