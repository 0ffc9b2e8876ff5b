// SPDX-License-Identifier: BSD-3-Clause
//
// The ways in which the CPU backend solves a patch: which one is taken on either side of
// every threshold, and that the result is the reference's on both.
#include <specex/specex.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "support/cmocka.hpp"
#include "support/difference.hpp"
#include "support/random.hpp"
#include "support/synthetic_case.hpp"

namespace {

using specex_test::Case;
using specex_test::CaseSpec;
using specex_test::difference;
using specex_test::Difference;
using specex_test::Frame;
using specex_test::Random;

size_t at(int64_t index) { return static_cast<size_t>(index); }

specex_options with(specex_options options, int32_t backend) {
  options.backend = backend;
  return options;
}

int64_t solved(const specex_frame &frame) {
  return frame.npath_dense + frame.npath_banded + frame.npath_vector;
}

// Extracts with both backends, requires agreement, and returns the CPU's frame.
Frame extract_like_the_reference(const char *name, const Case &c,
                                 const specex_options &options, double bound = 1e-8) {
  const Frame expected = specex_test::extract(c, with(options, SPECEX_BACKEND_REFERENCE));
  Frame frame = specex_test::extract(c, with(options, SPECEX_BACKEND_CPU));
  if (!frame.finite()) fail_msg("%s: outputs are not finite", name);
  const Difference d = difference(c, frame, expected);
  if (!(d.worst() <= bound) || !(d.chi2 <= std::max(1e-6, 10.0 * bound)))
    fail_msg("%s: pull %.3g, ivar %.3g, resolution %.3g, chi2pix %.3g", name, d.pull,
             d.ivar, d.resolution, d.chi2);
  if (frame.frame.npatch != expected.frame.npatch ||
      solved(frame.frame) != expected.frame.npath_dense)
    fail_msg("%s: %lld of %lld patches solved, by the reference %lld of %lld", name,
             static_cast<long long>(solved(frame.frame)),
             static_cast<long long>(frame.frame.npatch),
             static_cast<long long>(expected.frame.npath_dense),
             static_cast<long long>(expected.frame.npatch));
  return frame;
}

enum class Path { vector, banded, dense };

bool all_on(Path path, const specex_frame &frame) {
  const int64_t count = path == Path::vector   ? frame.npath_vector
                        : path == Path::banded ? frame.npath_banded
                                               : frame.npath_dense;
  return count == frame.npatch;
}

void expect(Path path, const char *name, const Frame &frame) {
  const specex_frame &f = frame.frame;
  if (!all_on(path, f))
    fail_msg("%s: of %lld patches %lld vector, %lld banded, %lld dense", name,
             static_cast<long long>(f.npatch), static_cast<long long>(f.npath_vector),
             static_cast<long long>(f.npath_banded),
             static_cast<long long>(f.npath_dense));
}

void move_fiber(Case &c, int fiber, double x) { c.psf.xtrace[at(3 * fiber)] = x; }

// ------------------------------------------------------------------ one path each

void paths_rising_well_separated_traces_take_the_vector_path(void **) {
  const specex_options options = specex_test::small_options();
  for (const int nspec : {1, 2, 3, 6, 9}) {
    const Case c = specex_test::make_case({.nspec = nspec});
    expect(Path::vector, "clean", extract_like_the_reference("clean", c, options));
  }
}

void paths_falling_traces_take_the_banded_path(void **) {
  const Case c = specex_test::make_case({.rows_per_bin = -1.5});
  const specex_options options = specex_test::small_options();
  expect(Path::banded, "falling", extract_like_the_reference("falling", c, options));
}

void paths_noise_decorrelation_takes_the_dense_path(void **) {
  specex_options options = specex_test::small_options();
  options.decorrelate = SPECEX_DECORRELATE_NOISE;
  const Case c = specex_test::make_case();
  expect(Path::dense, "noise", extract_like_the_reference("noise", c, options));
}

void paths_off_the_ccd_are_not_solved_and_not_counted(void **) {
  Case c = specex_test::make_case({.nwave = 60});
  for (size_t k = 0; k < c.psf.ytrace.size(); k += 3) c.psf.ytrace[k] -= 75.0;
  specex_test::simulate(c);
  for (const int32_t compat : {SPECEX_COMPAT_NONE, SPECEX_COMPAT_GPU_SPECTER}) {
    specex_options options = specex_test::small_options();
    options.compat = compat;
    const Frame frame = extract_like_the_reference("off the CCD", c, options, 1e-6);
    assert_true(solved(frame.frame) > 0);
    assert_true(solved(frame.frame) < frame.frame.npatch);
    assert_int_equal(frame.frame.npatch_failed, 0);
  }
}

void paths_of_results_are_those_the_frame_counts(void **) {
  Case c = specex_test::make_case({.nspec = 8});
  move_fiber(c, 5, c.psf.xtrace[at(3 * 4)] + 0.5);  // one pair too close
  specex_test::simulate(c);
  const specex_options options = specex_test::small_options();
  const specex_test::Context context(options, c.psf.view());
  const std::vector<specex_patch> patches =
      specex_test::plan(context, c.grid, 0, c.spec.nspec);
  specex_test::Results results(patches);
  const specex_image image = c.image();
  assert_status(specex_extract_patches(context, &image, patches.data(),
                                       static_cast<int64_t>(patches.size()),
                                       results.results.data()),
                SPECEX_OK);
  int64_t counts[SPECEX_PATH_COUNT] = {};
  for (const specex_result &result : results.results) ++counts[result.path];
  const Frame frame = specex_test::extract(c, options);
  assert_int_equal(counts[SPECEX_PATH_VECTOR], frame.frame.npath_vector);
  assert_int_equal(counts[SPECEX_PATH_BANDED], frame.frame.npath_banded);
  assert_int_equal(counts[SPECEX_PATH_DENSE], frame.frame.npath_dense);
  assert_true(frame.frame.npath_vector > 0);
  assert_true(frame.frame.npath_banded + frame.frame.npath_dense > 0);
}

// ------------------------------------------------------------------ thresholds

// Steps a case from easy to hard: the first is to be on the vector path, the last is not,
// no step leads back, and every one agrees with the reference.
struct Ladder {
  const char *name;
  std::vector<double> steps;
  std::function<Case(double)> make;
  std::function<void(specex_options &)> change = [](specex_options &) {};
  double bound = 1e-6;
};

void climb(const Ladder &ladder) {
  specex_options options = specex_test::small_options();
  ladder.change(options);
  bool left_vector = false;
  double last_vector = 0.0;
  for (size_t k = 0; k < ladder.steps.size(); ++k) {
    const Case c = ladder.make(ladder.steps[k]);
    const std::string name =
        std::string(ladder.name) + " at " + std::to_string(ladder.steps[k]);
    const Frame frame =
        extract_like_the_reference(name.c_str(), c, options, ladder.bound);
    const bool vector = all_on(Path::vector, frame.frame);
    if (vector && left_vector) fail_msg("%s is on the vector path again", name.c_str());
    if (k == 0 && !vector) fail_msg("%s is not on the vector path", name.c_str());
    if (k + 1 == ladder.steps.size() && vector)
      fail_msg("%s is still on the vector path", name.c_str());
    if (vector) last_vector = ladder.steps[k];
    left_vector = left_vector || !vector;
  }
  print_message("%s: vector path up to %g\n", ladder.name, last_vector);
}

// Two fibres: what decides is how far the elimination's fill-in reaches.
void paths_coupling_of_neighbours_leaves_the_vector_path(void **) {
  climb({"spacing of two traces",
         {9.0, 8.0, 7.0, 6.0, 5.5, 5.0, 4.5, 4.0, 3.5, 3.0, 2.6, 2.2, 1.8, 1.4},
         [](double spacing) {
           return specex_test::make_case({.nspec = 2, .spacing = spacing});
         },
         [](specex_options &o) {
           o.bundlesize = 2;
           o.nsubbundles = 1;
         }});
}

// Four fibres: the second next may not see each other.
void paths_coupling_of_second_neighbours_leaves_the_vector_path(void **) {
  climb({"spacing of four traces",
         {7.0, 6.0, 5.0, 4.6, 4.4, 4.2, 4.0, 3.8, 3.6, 3.4, 3.0},
         [](double spacing) {
           return specex_test::make_case({.nspec = 4, .spacing = spacing});
         }});
}

void paths_tails_that_reach_second_neighbours_leave_the_vector_path(void **) {
  climb({"spacing of four traces with tails",
         {16.0, 12.0, 10.0, 9.0, 8.0, 7.0, 6.0, 5.0, 4.0},
         [](double spacing) {
           return specex_test::make_case({.nspec = 4, .spacing = spacing, .tails = true});
         }});
}

// A fibre out of order, beside one that is not its neighbour by number.
void paths_fibres_out_of_order_leave_the_vector_path(void **) {
  climb({"closeness of the first and the fourth fibre",
         {-12.0, -11.0, -10.0, -9.0, -8.0, -7.0, -6.0, -5.0, -4.0},
         [](double minus_distance) {
           Case c = specex_test::make_case({.nspec = 4, .spacing = 30.0});
           move_fiber(c, 3, c.psf.xtrace[0] - minus_distance);
           specex_test::simulate(c);
           return c;
         },
         [](specex_options &o) { o.nsubbundles = 1; }});
}

void paths_spots_longer_than_the_widest_band_leave_the_vector_path(void **) {
  climb({"half height of the spots",
         {3.0, 5.0, 7.0, 8.0, 9.0, 10.0, 11.0, 12.0, 13.0},
         [](double half) {
           return specex_test::make_case(
               {.nspec = 3, .nwave = 24, .hsizey = static_cast<int>(half), .margin = 30});
         }});
}

void paths_spots_that_fill_the_widest_band_stay_on_the_vector_path(void **) {
  const Case c =
      specex_test::make_case({.nspec = 3, .nwave = 24, .hsizey = 11, .margin = 30});
  for (const int32_t compat : {SPECEX_COMPAT_NONE, SPECEX_COMPAT_GPU_SPECTER}) {
    specex_options options = specex_test::small_options();
    options.compat = compat;
    expect(Path::vector, "23 rows", extract_like_the_reference("23 rows", c, options));
  }
}

// Where a fibre's dispersion differs from its neighbour's, their lags drift.
void paths_more_lags_than_fit_leave_the_vector_path(void **) {
  climb({"drift of the lags",
         {0.0, 15.0, 30.0, 45.0, 60.0, 75.0, 90.0},
         [](double drift) {
           Case c = specex_test::make_case(
               {.nspec = 2, .nwave = 96, .hsizey = 5, .rows_per_bin = 2.5, .margin = 70});
           c.psf.ytrace[3 + 1] -= drift;
           specex_test::simulate(c);
           return c;
         },
         [](specex_options &o) { o.bundlesize = 2; }});
}

// Bins much finer than the resolution: more and more ill-conditioned, down to singular.
void paths_finer_bins_end_on_the_dense_path(void **) {
  specex_options options = specex_test::small_options();
  int64_t left_vector = 0;
  for (const double rate : {1.5, 1.2, 1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3}) {
    const Case c =
        specex_test::make_case({.nspec = 3, .hsizey = 3, .rows_per_bin = rate});
    const Frame frame = specex_test::extract(c, options);
    assert_true(frame.finite());
    assert_int_equal(solved(frame.frame), frame.frame.npatch);
    if (rate >= 1.2) expect(Path::vector, "resolved bins", frame);
    left_vector += frame.frame.npatch - frame.frame.npath_vector;
  }
  assert_true(left_vector > 0);
}

void paths_duplicate_traces_are_solved_all_the_same(void **) {
  for (const double shift : {1e-1, 1e-3, 1e-6, 1e-9, 0.0}) {
    Case c = specex_test::make_case();
    for (size_t k = 0; k < 3; ++k) {
      c.psf.xtrace[3 + k] = c.psf.xtrace[k];
      c.psf.ytrace[3 + k] = c.psf.ytrace[k];
    }
    c.psf.xtrace[3] += shift;
    specex_test::simulate(c);
    for (const double regularize : {0.0, 1e-4}) {
      specex_options options = specex_test::small_options();
      options.regularize = regularize;
      const Frame frame = specex_test::extract(c, options);
      const Frame expected =
          specex_test::extract(c, with(options, SPECEX_BACKEND_REFERENCE));
      const Difference d = difference(c, frame, expected);
      if (!(d.worst() <= 1e-6))
        fail_msg("traces %g apart, regularize %g: pull %.3g, ivar %.3g, resolution %.3g",
                 shift, regularize, d.pull, d.ivar, d.resolution);
      assert_true(frame.frame.npath_vector < frame.frame.npatch);
      assert_true(frame.frame.npath_vector > 0);  // the bundle without duplicates
      assert_true(frame.finite());
      assert_int_equal(frame.frame.npatch_failed, 0);
    }
  }
}

// ------------------------------------------------------------------ weights

// Beside them bins see the wings of their spots alone: what single precision holds of
// other fibres' is too little there.
void paths_beside_dead_rows_lead_through_lanes_in_double_precision(void **) {
  for (const int32_t compat : {SPECEX_COMPAT_NONE, SPECEX_COMPAT_GPU_SPECTER})
    for (const int dead : {5, 6, 18, 30}) {
      Case c = specex_test::make_case({.nspec = 6, .nwave = 60});
      for (int64_t y = 38; y < 38 + dead; ++y)
        for (int64_t x = 0; x < c.nx; ++x) c.weight(y, x) = 0.0;
      specex_options options = specex_test::small_options();
      options.compat = compat;
      const std::string name = std::to_string(dead) + " dead rows";
      const Frame frame = extract_like_the_reference(name.c_str(), c, options, 1e-7);
      print_message("%s: %lld patches vector, %lld banded\n", name.c_str(),
                    static_cast<long long>(frame.frame.npath_vector),
                    static_cast<long long>(frame.frame.npath_banded));
      assert_true(frame.frame.npath_banded > 0);
      const specex_test::Context context(options, c.psf.view());
      assert_true(specex_test::seconds_of(SPECEX_STAGE_FALLBACK, context, c) == 0.0);
    }
}

// The fibre after the next is seen, too: fibres are eliminated in pairs, of which the
// last may be one fibre alone.
void paths_of_second_neighbours_lead_through_lanes_in_pairs(void **) {
  for (const int32_t compat : {SPECEX_COMPAT_NONE, SPECEX_COMPAT_GPU_SPECTER})
    for (const bool tails : {false, true})
      for (const int nspec : {3, 4, 7})
        for (const double spacing : {4.4, 4.0, 3.7}) {
          Case c = specex_test::make_case(
              {.nspec = nspec, .nwave = 60, .spacing = spacing, .tails = tails});
          specex_options options = specex_test::small_options();
          options.compat = compat;
          options.bundlesize = nspec;
          options.nsubbundles = 1;
          const std::string name = std::to_string(nspec) + " traces " +
                                   std::to_string(spacing) +
                                   (tails ? " apart, with tails" : " apart");
          expect(Path::banded, name.c_str(),
                 extract_like_the_reference(name.c_str(), c, options));
          const specex_test::Context context(options, c.psf.view());
          assert_true(specex_test::seconds_of(SPECEX_STAGE_FALLBACK, context, c) == 0.0);
        }
}

// Units are the caller's.
void paths_extreme_units_stay_on_the_vector_path(void **) {
  const Case plain = specex_test::make_case();
  for (const double factor :
       {1e-150, 1e-30, 1e-21, 1e-19, 1e-6, 1e6, 1e19, 1e21, 1e30, 1e150}) {
    Case c = plain;
    for (double &pixel : c.pixels) pixel /= std::sqrt(factor);
    for (double &weight : c.ivar) weight *= factor;
    const std::string name = "weights of 10^" + std::to_string(std::log10(factor));
    const Frame frame =
        extract_like_the_reference(name.c_str(), c, specex_test::small_options());
    expect(Path::vector, name.c_str(), frame);
    // Without the noise changing: a signal-to-noise ratio far from 1.
    c.pixels = plain.pixels;
    extract_like_the_reference(name.c_str(), c, specex_test::small_options(), 1e-6);
  }
}

// One row's weights far above or below those of all others: the coupling of fibres is
// summed in single precision, whose range these exceed.
void paths_weights_of_any_range_in_one_image_agree_with_the_reference(void **) {
  for (const double factor : {1e-30, 1e-20, 1e-10, 1e10, 1e20})
    for (const int pattern : {0, 1}) {
      // Within one spot doubles cannot hold more.
      if (factor > (pattern == 1 ? 1e10 : 1e20)) continue;
      Case c = specex_test::make_case({.spacing = 5.0});
      for (int64_t y = 0; y < c.ny; ++y)
        for (int64_t x = 0; x < c.nx; ++x)
          if (pattern == 0 ? y < c.ny / 2 : y % 40 == 3) c.weight(y, x) *= factor;
      const specex_options options = specex_test::small_options();
      const Frame expected =
          specex_test::extract(c, with(options, SPECEX_BACKEND_REFERENCE));
      const Frame frame = specex_test::extract(c, options);
      assert_true(frame.finite());
      // Each bin by its own error, however little it weighs: as good as single precision
      // of the coupling allows where the weights beside it are so much larger.
      double worst = 0.0;
      for (size_t k = 0; k < frame.flux.size(); ++k) {
        const double sigma = std::sqrt(1.0 / std::min(frame.ivar[k], expected.ivar[k]));
        const double pull = std::abs(frame.flux[k] - expected.flux[k]) /
                            std::max(sigma, 0.01 * std::abs(expected.flux[k]));
        worst = std::max(worst, pull);
        if (!(pull <= 1e-2))
          fail_msg("rows times %g, pattern %d: bin %zu has %g +- %g instead of %g +- %g",
                   factor, pattern, k, frame.flux[k], 1.0 / std::sqrt(frame.ivar[k]),
                   expected.flux[k], 1.0 / std::sqrt(expected.ivar[k]));
      }
      print_message("rows times %g, pattern %d: within %.1g\n", factor, pattern, worst);
    }
}

// ------------------------------------------------------------------ random inputs

struct Spoiled {
  Case c;
  std::string what;
  bool defined = true;  // the PSF and the pixels make sense
};

Spoiled random_case(Random &random) {
  CaseSpec spec;
  spec.nspec = 1 + random.below(4);
  spec.nwave = 4 + random.below(9);
  spec.hsizex = 2 + random.below(3);
  spec.hsizey = 2 + random.below(3);
  spec.spacing = 4.0 + 4.0 * random.uniform();
  spec.rows_per_bin = 1.1 + random.uniform();
  spec.margin = 8 + random.below(12);
  spec.seed = random.bits();
  spec.ripple = random.uniform();
  Spoiled s{specex_test::make_case(spec), ""};
  Case &c = s.c;
  const double density[] = {0.0, 0.0, 0.01, 0.1, 0.5, 0.9, 0.99, 1.0};
  const double masked = density[random.below(8)];
  s.what += "mask " + std::to_string(masked);
  for (double &weight : c.ivar)
    if (random.uniform() < masked) weight = 0.0;
  if (random.below(4) == 0) {
    s.what += ", columns";
    const int first = random.below(static_cast<int>(c.nx));
    const int64_t end = std::min(c.nx, int64_t{first} + 1 + random.below(6));
    for (int64_t y = 0; y < c.ny; ++y)
      for (int64_t x = first; x < end; ++x) c.weight(y, x) = 0.0;
  }
  if (random.below(4) == 0) {
    s.what += ", rows";
    const int first = random.below(static_cast<int>(c.ny));
    const int64_t end = std::min(c.ny, int64_t{first} + 1 + random.below(20));
    for (int64_t y = first; y < end; ++y)
      for (int64_t x = 0; x < c.nx; ++x) c.weight(y, x) = 0.0;
  }
  if (random.below(4) == 0) {
    s.what += ", ivar over 12 orders";
    for (double &weight : c.ivar) weight *= std::pow(10.0, -12.0 * random.uniform());
  }
  // What the PSF says after the image was made: the fit need not be good.
  if (spec.nspec > 1 && random.below(8) == 0) {
    s.what += ", duplicate trace";
    const size_t from = at(3 * random.below(spec.nspec));
    const size_t to = at(3 * random.below(spec.nspec));
    std::copy_n(c.psf.xtrace.begin() + static_cast<ptrdiff_t>(from), 3,
                c.psf.xtrace.begin() + static_cast<ptrdiff_t>(to));
    std::copy_n(c.psf.ytrace.begin() + static_cast<ptrdiff_t>(from), 3,
                c.psf.ytrace.begin() + static_cast<ptrdiff_t>(to));
  }
  if (random.below(12) == 0) {
    s.what += ", zero trace";
    const size_t fiber = at(3 * random.below(spec.nspec));
    std::fill_n(c.psf.xtrace.begin() + static_cast<ptrdiff_t>(fiber), 3, 0.0);
    if (random.below(2) == 0)
      std::fill_n(c.psf.ytrace.begin() + static_cast<ptrdiff_t>(fiber), 3, 0.0);
  }
  if (random.below(12) == 0) {
    const double sigmas[] = {0.2, 0.5, 4.0, 30.0, 0.0, -1.0, 1e-300, 1e300};
    const int which = random.below(8);
    const double sigma = sigmas[which];
    s.defined = which < 4;
    s.what += ", a strange sigma";
    *c.psf.coefficient(random.below(2) == 0 ? "GHSIGX" : "GHSIGY",
                       random.below(spec.nspec)) = sigma;
  }
  if (random.below(6) == 0) {
    s.what += ", unusable pixels";
    const double values[] = {NAN, INFINITY, -INFINITY, 1e300, -1e300};
    for (int k = 0; k < 4; ++k)
      c.pixels[at(random.below(static_cast<int>(c.pixels.size())))] =
          values[random.below(k < 2 ? 3 : 5)];
    s.defined = false;  // squares of 1e300 overflow
  }
  return s;
}

// How far the reference's result moves when its weights move by 1e-10, and when they are
// in another unit, so that all is rounded in another way, is a measure of what can be
// asked for.
void paths_random_degenerate_inputs_are_finite_and_like_the_reference(void **) {
  constexpr int trials = 2500;
  Random random(2024);
  int64_t vector = 0;
  int64_t banded = 0;
  int64_t dense = 0;
  int64_t unsolved = 0;
  int compared = 0;
  int rough = 0;
  double largest = 0.0;
  for (int trial = 0; trial < trials; ++trial) {
    const Spoiled s = random_case(random);
    const Case &c = s.c;
    specex_options options = specex_test::small_options();
    options.nwavestep = 8;
    options.wavepad = 3;
    options.compat =
        random.below(4) == 0 ? SPECEX_COMPAT_GPU_SPECTER : SPECEX_COMPAT_NONE;
    specex_status status = SPECEX_OK;
    const Frame frame = specex_test::extract(c, options, &status);
    if (status > SPECEX_PARTIAL || !frame.finite())
      fail_msg("trial %d (%s): %s, finite %d", trial, s.what.c_str(),
               specex_status_name(status), frame.finite());
    vector += frame.frame.npath_vector;
    banded += frame.frame.npath_banded;
    dense += frame.frame.npath_dense;
    unsolved += frame.frame.npatch - solved(frame.frame);
    for (size_t k = 0; k < frame.ivar.size(); ++k)
      if (options.compat == SPECEX_COMPAT_NONE &&
          (frame.ivar[k] == 0.0) != ((frame.mask[k] & SPECEX_MASK_NODATA) != 0))
        fail_msg("trial %d (%s): ivar %g, mask %d", trial, s.what.c_str(), frame.ivar[k],
                 frame.mask[k]);
    if (trial % 2 == 1) continue;

    options.backend = SPECEX_BACKEND_REFERENCE;
    specex_status expected_status = SPECEX_OK;
    const Frame expected = specex_test::extract(c, options, &expected_status);
    if (!s.defined) continue;
    if (status != expected_status ||
        frame.frame.npatch_failed != expected.frame.npatch_failed)
      fail_msg(
          "trial %d (%s): %s with %lld failed patches, by the reference %s with %lld",
          trial, s.what.c_str(), specex_status_name(status),
          static_cast<long long>(frame.frame.npatch_failed),
          specex_status_name(expected_status),
          static_cast<long long>(expected.frame.npatch_failed));
    Case moved = c;
    for (double &weight : moved.ivar) weight *= 1.0 + 1e-10 * random.normal();
    const Frame neighbour = specex_test::extract(moved, options, &expected_status);
    Case scaled = c;
    for (double &weight : scaled.ivar) weight *= 3.0;
    Frame rounded = specex_test::extract(scaled, options, &expected_status);
    for (double &ivar : rounded.ivar) ivar /= 3.0;
    const double sensitivity = std::max(difference(c, neighbour, expected).worst(),
                                        difference(c, rounded, expected).worst());
    if (!(sensitivity <= 1e-5)) continue;
    ++compared;
    const Difference d = difference(c, frame, expected);
    largest = std::max(largest, d.worst());
    rough += d.worst() > 1e-7 ? 1 : 0;
    if (!(d.worst() <= 1e-5 + 30.0 * sensitivity))
      fail_msg(
          "trial %d (%s, compat %d): pull %.3g, ivar %.3g, resolution %.3g; the "
          "reference moves by %.3g",
          trial, s.what.c_str(), options.compat, d.pull, d.ivar, d.resolution,
          sensitivity);
  }
  print_message(
      "%d inputs: patches %lld vector, %lld banded, %lld dense, %lld unsolved; "
      "%d compared, %d differ by more than 1e-7, the largest by %.2g\n",
      trials, static_cast<long long>(vector), static_cast<long long>(banded),
      static_cast<long long>(dense), static_cast<long long>(unsolved), compared, rough,
      largest);
  assert_true(vector > trials / 4);
  assert_true(banded > 0);
  assert_true(unsolved > 0);
  assert_true(compared > trials / 4);
  assert_true(rough < compared / 20);
}

// ------------------------------------------------------------------ instruction sets

// Sets SPECEX_SIMD for its scope.
class Simd {
 public:
  explicit Simd(const char *value) {
    if (const char *before = std::getenv("SPECEX_SIMD")) {
      had_ = true;
      before_ = before;
    }
    setenv("SPECEX_SIMD", value, 1);
  }
  ~Simd() {
    if (had_)
      setenv("SPECEX_SIMD", before_.c_str(), 1);
    else
      unsetenv("SPECEX_SIMD");
  }
  Simd(const Simd &) = delete;
  Simd &operator=(const Simd &) = delete;

 private:
  bool had_ = false;
  std::string before_;
};

void paths_unknown_instruction_sets_are_refused_by_name(void **) {
  for (const char *name : {"sse9", "AVX2", "avx512 ", "portable,avx2"}) {
    const Simd simd(name);
    specex_options options = specex_test::small_options();
    specex_context *context = nullptr;
    assert_status(specex_create(&options, &context), SPECEX_ERROR_ARGUMENT);
    assert_null(context);
    assert_non_null(std::strstr(specex_last_error(nullptr), name));
    assert_non_null(std::strstr(specex_last_error(nullptr), "SPECEX_SIMD"));
    // The reference has none to choose.
    options.backend = SPECEX_BACKEND_REFERENCE;
    assert_status(specex_create(&options, &context), SPECEX_OK);
    assert_status(specex_destroy(context), SPECEX_OK);
  }
}

void paths_instruction_sets_agree_with_each_other(void **) {
  const Case c = specex_test::make_case();
  const specex_options options = specex_test::small_options();
  const Simd fewest("portable");
  const Frame expected = specex_test::extract(c, options);
  expect(Path::vector, "portable", expected);
  for (const char *name : {"", "avx2", "avx512"}) {
    const Simd simd(name);
    if (specex_test::lacks_instructions()) continue;
    const Frame frame = specex_test::extract(c, options);
    expect(Path::vector, name, frame);
    // Stamps and couplings are kept as floats, whose last bit may differ.
    assert_at_most(difference(c, frame, expected).worst(), 1e-8);
  }
}

}  // namespace

int main() {
  if (specex_test::lacks_instructions()) return 77;
  const CMUnitTest tests[] = {
      cmocka_unit_test(paths_rising_well_separated_traces_take_the_vector_path),
      cmocka_unit_test(paths_falling_traces_take_the_banded_path),
      cmocka_unit_test(paths_noise_decorrelation_takes_the_dense_path),
      cmocka_unit_test(paths_off_the_ccd_are_not_solved_and_not_counted),
      cmocka_unit_test(paths_of_results_are_those_the_frame_counts),
      cmocka_unit_test(paths_coupling_of_neighbours_leaves_the_vector_path),
      cmocka_unit_test(paths_coupling_of_second_neighbours_leaves_the_vector_path),
      cmocka_unit_test(paths_tails_that_reach_second_neighbours_leave_the_vector_path),
      cmocka_unit_test(paths_fibres_out_of_order_leave_the_vector_path),
      cmocka_unit_test(paths_spots_longer_than_the_widest_band_leave_the_vector_path),
      cmocka_unit_test(paths_spots_that_fill_the_widest_band_stay_on_the_vector_path),
      cmocka_unit_test(paths_more_lags_than_fit_leave_the_vector_path),
      cmocka_unit_test(paths_finer_bins_end_on_the_dense_path),
      cmocka_unit_test(paths_duplicate_traces_are_solved_all_the_same),
      cmocka_unit_test(paths_beside_dead_rows_lead_through_lanes_in_double_precision),
      cmocka_unit_test(paths_of_second_neighbours_lead_through_lanes_in_pairs),
      cmocka_unit_test(paths_extreme_units_stay_on_the_vector_path),
      cmocka_unit_test(paths_weights_of_any_range_in_one_image_agree_with_the_reference),
      cmocka_unit_test(paths_random_degenerate_inputs_are_finite_and_like_the_reference),
      cmocka_unit_test(paths_unknown_instruction_sets_are_refused_by_name),
      cmocka_unit_test(paths_instruction_sets_agree_with_each_other),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
