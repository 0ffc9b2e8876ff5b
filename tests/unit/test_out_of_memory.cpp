// SPDX-License-Identifier: BSD-3-Clause
//
// Any allocation may be refused: the call says so, nothing leaks or ends the process, and
// the next call gives the bits it would have given.
#include <specex/specex.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <new>
#include <optional>

#include "base/error.hpp"
#include "base/threads.hpp"
#include "support/cmocka.hpp"
#include "support/synthetic_case.hpp"

namespace {

std::atomic<long> granted{-1};  // allocations until one is refused; below 0: all are
std::atomic<bool> for_ever{false};

bool refused() {
  if (granted < 0) return false;
  if (granted == 0) return for_ever || granted.exchange(-1) == 0;
  --granted;
  return false;
}

// Whether the call came to the allocation that is refused.
bool call_with(long grants, const std::function<void()> &call) {
  granted = grants;
  call();
  const bool met = granted < 0 || (for_ever && granted == 0);
  granted = -1;
  return met;
}

using specex_test::Case;
using specex_test::Context;
using specex_test::Frame;

const Case &small_case() {
  static const Case c = specex_test::make_case({.nspec = 3, .nwave = 8});
  return c;
}

specex_options options_of(int32_t backend) {
  specex_options options = specex_test::small_options(backend);
  options.num_threads = 2;
  options.spot_memory = 1 << 24;
  return options;
}

// Refuses each allocation of a call in turn, once and then for ever. `fine` tells whether
// all is as it should be after a call that was refused nothing.
void sweep(
    const std::function<specex_status()> &call,
    const std::function<bool()> &fine = [] { return true; }) {
  for (const bool persistent : {false, true}) {
    for_ever = persistent;
    for (long grants = 0;; ++grants) {
      specex_status status = SPECEX_OK;
      const bool met = call_with(grants, [&] { status = call(); });
      if (!met) assert_status(status, SPECEX_OK);
      if (status != SPECEX_OK && status != SPECEX_PARTIAL)
        assert_status(status, SPECEX_ERROR_MEMORY);
      if (!met) break;
      assert_status(call(), SPECEX_OK);
      assert_true(fine());
    }
  }
}

void memory_is_refused_to_create(void **) {
  const specex_options options = options_of(SPECEX_BACKEND_CPU);
  sweep([&]() -> specex_status {
    specex_context *context = nullptr;
    const specex_status status = specex_create(&options, &context);
    if ((status == SPECEX_OK) != (context != nullptr)) return SPECEX_ERROR_INTERNAL;
    specex_destroy(context);
    return status;
  });
}

void memory_is_refused_to_set_psf(void **) {
  specex_test::PsfTables psf = small_case().psf;
  const specex_psf *view = psf.view();
  const Context context(options_of(SPECEX_BACKEND_CPU));
  sweep([&] { return specex_set_psf(context, view); });
}

void memory_is_refused_to_extract(void **) {
  const Case &c = small_case();
  specex_test::PsfTables psf = c.psf;
  const specex_image image = c.image();
  for (const int32_t backend : {SPECEX_BACKEND_CPU, SPECEX_BACKEND_REFERENCE}) {
    // It keeps memory from call to call: the next refusal meets one that has none yet.
    std::optional<Context> context;
    const auto begin_anew = [&] { context.emplace(options_of(backend), psf.view()); };
    begin_anew();
    Frame frame(c, 0, 3);
    specex_frame *view = frame.get();
    const auto unset = [](double flux) { return std::isnan(flux); };
    const auto extract = [&] {
      std::fill(frame.flux.begin(), frame.flux.end(),
                std::numeric_limits<double>::quiet_NaN());
      const specex_status status =
          specex_extract_frame(*context, &image, &c.grid, 0, 3, view);
      const bool some = std::any_of(frame.flux.begin(), frame.flux.end(), unset);
      const bool all = std::all_of(frame.flux.begin(), frame.flux.end(), unset);
      return some && !all ? SPECEX_ERROR_INTERNAL : status;  // all is set, or nothing
    };
    assert_status(extract(), SPECEX_OK);
    const Frame expected = frame;
    begin_anew();
    sweep(extract, [&] {
      begin_anew();
      return same_bits(frame, expected);
    });
  }
}

void memory_is_refused_to_patches(void **) {
  const Case &c = small_case();
  specex_test::PsfTables psf = c.psf;
  const specex_image image = c.image();
  std::optional<Context> context;
  const auto begin_anew = [&] {
    context.emplace(options_of(SPECEX_BACKEND_CPU), psf.view());
    return true;
  };
  begin_anew();
  const auto patches = specex_test::plan(*context, c.grid, 0, 3);
  specex_test::Results results(patches);
  const auto n = static_cast<int64_t>(patches.size());
  Frame frame(c, 0, 3);
  specex_frame *view = frame.get();
  sweep(
      [&] {
        return specex_extract_patches(*context, &image, patches.data(), n,
                                      results.results.data());
      },
      begin_anew);
  sweep([&] {
    return specex_assemble(*context, patches.data(), results.results.data(), n, view);
  });
}

void memory_is_refused_to_project(void **) {
  const Case &c = small_case();
  specex_test::PsfTables psf = c.psf;
  const Context context(options_of(SPECEX_BACKEND_CPU), psf.view());
  std::vector<double> image(c.pixels.size());
  sweep([&] {
    return specex_project(context, &c.grid, 0, 3, c.truth.data(), c.nx, c.ny,
                          image.data());
  });
}

// An error that is on its way needs no more memory.
void memory_is_not_needed_to_keep_an_error(void **) {
  for_ever = true;
  try {
    specex::fail(SPECEX_ERROR_NUMERIC, "a message of more than a dozen characters");
  } catch (...) {
    specex_status status = SPECEX_OK;
    specex::FirstError first;
    call_with(0, [&] {
      first.keep_current();
      status = specex::current_error().status();
    });
    assert_status(status, SPECEX_ERROR_NUMERIC);
  }
}

void memory_is_refused_to_a_thread(void **) {
  for_ever = true;
  int found = 0;
  for (long grants = 0; grants < 8; ++grants)
    if (call_with(grants, [&] {
          try {
            found = specex::probe_threads(4);
          } catch (const std::bad_alloc &) {
            found = 1;
          }
        }))
      assert_in_range(found, 1, 4);
  assert_int_equal(specex::probe_threads(4), 4);
}

}  // namespace

void *operator new(size_t size, const std::nothrow_t &) noexcept {
  return refused() ? nullptr : std::malloc(size > 0 ? size : 1);
}
void *operator new(size_t size) {
  void *memory = operator new(size, std::nothrow);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
void operator delete(void *memory) noexcept { std::free(memory); }
void operator delete(void *memory, size_t) noexcept { std::free(memory); }

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(memory_is_not_needed_to_keep_an_error),
      cmocka_unit_test(memory_is_refused_to_a_thread),
      cmocka_unit_test(memory_is_refused_to_create),
      cmocka_unit_test(memory_is_refused_to_set_psf),
      cmocka_unit_test(memory_is_refused_to_extract),
      cmocka_unit_test(memory_is_refused_to_patches),
      cmocka_unit_test(memory_is_refused_to_project),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
