// SPDX-License-Identifier: BSD-3-Clause
//
// Progress is reported once a patch, and a call that is told to stop does so, leaving
// outputs that are finite and masked.
#include <specex/specex.h>

#include <thread>
#include <vector>

#include "support/cmocka.hpp"
#include "support/synthetic_case.hpp"

namespace {

using specex_test::Case;
using specex_test::Context;
using specex_test::Frame;
using specex_test::PsfTables;
using specex_test::Results;

struct Stop {
  int64_t at;  // number of patches after which to stop
  std::vector<int64_t> seen{};
  int64_t total = -1;
  std::thread::id caller = std::this_thread::get_id();
  bool called_elsewhere = false;
};

int32_t count_and_stop(int64_t done, int64_t total, void *user) {
  auto *stop = static_cast<Stop *>(user);
  stop->seen.push_back(done);
  stop->total = total;
  stop->called_elsewhere |= std::this_thread::get_id() != stop->caller;
  return done >= stop->at ? 1 : 0;
}

specex_options options_with(int threads, int32_t backend = SPECEX_BACKEND_CPU) {
  specex_options options = specex_test::small_options(backend);
  options.num_threads = threads;
  return options;
}

void cancel_progress_counts_every_patch_in_order(void **) {
  for (const int threads : {1, 3}) {
    Case c = specex_test::make_case();
    const Context context(options_with(threads), c.psf.view());
    Stop never{INT64_MAX};
    assert_status(specex_set_progress(context, count_and_stop, &never), SPECEX_OK);
    Frame frame(c, 0, 6);
    const specex_image image = c.image();
    assert_status(specex_extract_frame(context, &image, &c.grid, 0, 6, frame.get()),
                  SPECEX_OK);
    assert_int_equal(never.total, frame.frame.npatch);
    assert_int_equal(never.seen.size(), never.total + 1);
    assert_false(never.called_elsewhere);
    for (size_t k = 0; k < never.seen.size(); ++k) assert_int_equal(never.seen[k], k);
  }
}

void cancel_of_a_frame_leaves_masked_finite_outputs(void **) {
  for (const int32_t backend : {SPECEX_BACKEND_CPU, SPECEX_BACKEND_REFERENCE})
    for (const int threads : {1, 3})
      for (const int64_t at : {0, 1, 4, 11}) {
        Case c = specex_test::make_case();
        const Context context(options_with(threads, backend), c.psf.view());
        Stop stop{at};
        assert_status(specex_set_progress(context, count_and_stop, &stop), SPECEX_OK);
        Frame frame(c, 0, 6);
        const specex_image image = c.image();
        assert_status(specex_extract_frame(context, &image, &c.grid, 0, 6, frame.get()),
                      SPECEX_CANCELLED);
        assert_true(frame.finite());
        for (size_t k = 0; k < frame.ivar.size(); ++k)
          if (frame.ivar[k] == 0.0) assert_true(frame.mask[k] & SPECEX_MASK_NODATA);
        assert_true(static_cast<int64_t>(stop.seen.size()) <= at + threads + 1);
        // And the context is as good as new.
        assert_status(specex_set_progress(context, nullptr, nullptr), SPECEX_OK);
        assert_status(specex_extract_frame(context, &image, &c.grid, 0, 6, frame.get()),
                      SPECEX_OK);
        assert_true(specex_test::same_bits(
            frame, specex_test::extract(c, options_with(1, backend))));
      }
}

void cancel_of_patches_keeps_those_that_are_done(void **) {
  for (const int32_t backend : {SPECEX_BACKEND_CPU, SPECEX_BACKEND_REFERENCE}) {
    Case c = specex_test::make_case();
    const Context context(options_with(1, backend), c.psf.view());
    const std::vector<specex_patch> patches = specex_test::plan(context, c.grid, 0, 6);
    for (const int64_t at : {0, 1, 5}) {
      Stop stop{at};
      assert_status(specex_set_progress(context, count_and_stop, &stop), SPECEX_OK);
      Results results(patches);
      const specex_image image = c.image();
      assert_status(specex_extract_patches(context, &image, patches.data(),
                                           static_cast<int64_t>(patches.size()),
                                           results.results.data()),
                    SPECEX_CANCELLED);
      assert_true(results.finite());
      int64_t done = 0;
      for (size_t k = 0; k < patches.size(); ++k) {
        const specex_result &result = results.results[k];
        done += result.status == SPECEX_OK ? 1 : 0;
        if (result.status == SPECEX_OK) continue;
        assert_status(result.status, SPECEX_CANCELLED);
        assert_int_equal(result.path, SPECEX_PATH_NONE);
        for (int bin = 0; bin < patches[k].nfiber * patches[k].nbin; ++bin) {
          assert_near(result.ivar[bin], 0.0, 0.0);
          assert_true(result.mask[bin] & SPECEX_MASK_NODATA);
        }
      }
      assert_int_equal(done, at);
    }
  }
}

void cancel_of_a_projection_is_answered(void **) {
  for (const int threads : {1, 3}) {
    Case c = specex_test::make_case();
    const Context context(options_with(threads), c.psf.view());
    Stop stop{2};
    assert_status(specex_set_progress(context, count_and_stop, &stop), SPECEX_OK);
    std::vector<double> image(static_cast<size_t>(c.nx * c.ny));
    assert_status(
        specex_project(context, &c.grid, 0, 6, c.truth.data(), c.nx, c.ny, image.data()),
        SPECEX_CANCELLED);
    assert_int_equal(stop.total, 6);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(cancel_progress_counts_every_patch_in_order),
      cmocka_unit_test(cancel_of_a_frame_leaves_masked_finite_outputs),
      cmocka_unit_test(cancel_of_patches_keeps_those_that_are_done),
      cmocka_unit_test(cancel_of_a_projection_is_answered),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
