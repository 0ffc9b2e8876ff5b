// SPDX-License-Identifier: BSD-3-Clause
//
// Where the time of an extraction goes: every moment of a thread belongs to one stage.
#include <specex/specex.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <numeric>
#include <set>
#include <string>

#include "support/cmocka.hpp"
#include "support/synthetic_case.hpp"

namespace {

using specex_test::Case;
using specex_test::Context;
using specex_test::Frame;
using specex_test::PsfTables;

using StageSeconds = std::array<double, SPECEX_NSTAGE>;

StageSeconds stage_seconds(specex_context *context) {
  StageSeconds seconds;
  seconds.fill(NAN);
  assert_status(specex_stage_seconds(context, seconds.data(), SPECEX_NSTAGE), SPECEX_OK);
  for (const double value : seconds) assert_true(std::isfinite(value) && value >= 0.0);
  return seconds;
}

double total(const StageSeconds &seconds) {
  return std::accumulate(seconds.begin(), seconds.end(), 0.0);
}

// Extracts all fibres; returns how long that took.
double extract(const Case &c, specex_context *context) {
  Frame frame(c, 0, c.spec.nspec);
  const specex_image image = c.image();
  const auto start = std::chrono::steady_clock::now();
  assert_status(
      specex_extract_frame(context, &image, &c.grid, 0, c.spec.nspec, frame.get()),
      SPECEX_OK);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void stages_add_up_to_the_time_of_one_thread(void **) {
  const Case c = specex_test::make_case();
  PsfTables psf = c.psf;
  for (const int32_t backend : {SPECEX_BACKEND_CPU, SPECEX_BACKEND_REFERENCE}) {
    specex_options options = specex_test::small_options(backend);
    options.num_threads = 1;
    const Context context(options, psf.view());
    assert_true(total(stage_seconds(context)) == 0.0);
    double largest_share = 0.0;  // the machine may do something else meanwhile
    for (int round = 0; round < 5; ++round) {  // the last call alone counts
      const double wall = extract(c, context);
      const double counted = total(stage_seconds(context));
      assert_true(counted <= wall);
      largest_share = std::max(largest_share, counted / wall);
    }
    assert_true(largest_share >= 0.9);  // all but the checking of arguments
    const StageSeconds seconds = stage_seconds(context);
    if (backend == SPECEX_BACKEND_REFERENCE)
      assert_true(seconds[SPECEX_STAGE_FALLBACK] >= 0.5 * total(seconds));
    else
      for (const int stage : {SPECEX_STAGE_FRAME, SPECEX_STAGE_PIXELS, SPECEX_STAGE_SPOTS,
                              SPECEX_STAGE_BLOCKS, SPECEX_STAGE_GATHER,
                              SPECEX_STAGE_ELIMINATION, SPECEX_STAGE_FLUX,
                              SPECEX_STAGE_ROOT, SPECEX_STAGE_MODEL, SPECEX_STAGE_FINISH})
        assert_true(seconds[static_cast<size_t>(stage)] > 0.0);
  }
}

void stages_of_threads_add_up(void **) {
  const Case c = specex_test::make_case();
  PsfTables psf = c.psf;
  specex_options options = specex_test::small_options();
  options.num_threads = 4;
  const Context context(options, psf.view());
  const double wall = extract(c, context);
  const double counted = total(stage_seconds(context));
  assert_true(counted > 0.0);
  assert_true(counted <= options.num_threads * wall);
}

// A callback may extract with another context.
void stages_of_calls_within_calls_are_their_own(void **) {
  struct Inner {
    Case c = specex_test::make_case();
    PsfTables psf = c.psf;
    Context context{specex_test::small_options(), psf.view()};
    double wall = 0.0;
  } inner;
  const Context outer(specex_test::small_options(), inner.psf.view());
  const auto extract_once = [](int64_t, int64_t, void *user) {
    auto &own = *static_cast<Inner *>(user);
    if (own.wall == 0.0) own.wall = extract(own.c, own.context);
    return int32_t{0};
  };
  assert_status(specex_set_progress(outer, extract_once, &inner), SPECEX_OK);
  const double wall = extract(inner.c, outer);
  assert_true(total(stage_seconds(inner.context)) > 0.0);
  assert_true(total(stage_seconds(inner.context)) <= 2 * inner.wall);
  assert_true(total(stage_seconds(outer)) >= inner.wall);
  assert_true(total(stage_seconds(outer)) <= 2 * wall);
}

void stages_have_names(void **) {
  std::set<std::string> names;
  for (int stage = 0; stage < SPECEX_NSTAGE; ++stage)
    names.insert(specex_stage_name(stage));
  assert_int_equal(names.size(), SPECEX_NSTAGE);
  assert_false(names.contains("unknown"));
  assert_string_equal(specex_stage_name(SPECEX_STAGE_SPOTS), "spots");
  assert_string_equal(specex_stage_name(SPECEX_STAGE_FALLBACK), "fallback");
  for (const int32_t stage : {-1, int32_t{SPECEX_NSTAGE}, INT32_MAX, INT32_MIN})
    assert_string_equal(specex_stage_name(stage), "unknown");
}

void stages_fit_the_array_given(void **) {
  const Case c = specex_test::make_case();
  PsfTables psf = c.psf;
  const Context context(specex_test::small_options(), psf.view());
  extract(c, context);
  const StageSeconds seconds = stage_seconds(context);

  std::array<double, SPECEX_NSTAGE + 3> more;
  more.fill(NAN);
  assert_status(specex_stage_seconds(context, more.data(), more.size()), SPECEX_OK);
  for (size_t k = 0; k < more.size(); ++k)
    assert_true(more[k] == (k < SPECEX_NSTAGE ? seconds[k] : 0.0));

  std::array<double, 3> fewer{NAN, NAN, -1.0};
  assert_status(specex_stage_seconds(context, fewer.data(), 2), SPECEX_OK);
  assert_true(fewer[0] == seconds[0] && fewer[1] == seconds[1] && fewer[2] == -1.0);

  assert_status(specex_stage_seconds(context, nullptr, 0), SPECEX_OK);
  assert_status(specex_stage_seconds(context, nullptr, 1), SPECEX_ERROR_ARGUMENT);
  assert_status(specex_stage_seconds(context, fewer.data(), -1), SPECEX_ERROR_ARGUMENT);
  assert_status(specex_stage_seconds(nullptr, fewer.data(), 1), SPECEX_ERROR_ARGUMENT);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(stages_add_up_to_the_time_of_one_thread),
      cmocka_unit_test(stages_of_threads_add_up),
      cmocka_unit_test(stages_of_calls_within_calls_are_their_own),
      cmocka_unit_test(stages_have_names),
      cmocka_unit_test(stages_fit_the_array_given),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
