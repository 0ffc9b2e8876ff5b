// SPDX-License-Identifier: BSD-3-Clause
//
// The life of a context: options, handles, callbacks, and who may enter.
#include <specex/specex.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <thread>
#include <vector>

#include "support/cmocka.hpp"
#include "support/synthetic_case.hpp"

namespace {

using specex_test::Case;
using specex_test::Context;
using specex_test::Frame;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();
constexpr double inf = std::numeric_limits<double>::infinity();

specex_options defaults() {
  specex_options options{};
  assert_status(specex_options_init(&options, sizeof options), SPECEX_OK);
  return options;
}

void context_options_have_the_documented_defaults(void **) {
  const specex_options options = defaults();
  assert_int_equal(options.struct_size, sizeof options);
  assert_int_equal(options.backend, SPECEX_BACKEND_AUTO);
  assert_int_equal(options.num_threads, 0);
  assert_int_equal(options.compat, SPECEX_COMPAT_NONE);
  assert_int_equal(options.decorrelate, SPECEX_DECORRELATE_SIGNAL);
  assert_int_equal(options.bundlesize, 25);
  assert_int_equal(options.nsubbundles, 0);
  assert_int_equal(options.nwavestep, 0);
  assert_int_equal(options.wavepad, 10);
  assert_near(options.wavepad_frac, 0.2, 0.0);
  assert_near(options.pixpad_frac, 0.8, 0.0);
  assert_near(options.regularize, 0.0, 0.0);
  assert_true(options.psferr < 0.0);
  assert_int_equal(options.strict, 0);
}

void context_options_init_fills_a_newer_struct_with_zeros(void **) {
  struct {
    specex_options options;
    unsigned char later[64];
  } newer;
  std::memset(&newer, 0xff, sizeof newer);
  assert_status(specex_options_init(&newer.options, sizeof newer), SPECEX_OK);
  assert_int_equal(newer.options.struct_size, sizeof newer);
  assert_int_equal(newer.options.bundlesize, 25);
  for (const unsigned char byte : newer.later) assert_int_equal(byte, 0);
  specex_context *context = nullptr;
  assert_status(specex_create(&newer.options, &context), SPECEX_OK);
  assert_status(specex_destroy(context), SPECEX_OK);
}

void context_options_init_refuses_null_and_short_structs(void **) {
  assert_status(specex_options_init(nullptr, sizeof(specex_options)),
                SPECEX_ERROR_ARGUMENT);
  specex_options options{};
  for (int64_t size = -1; size < static_cast<int64_t>(sizeof options); ++size)
    assert_status(specex_options_init(&options, size), SPECEX_ERROR_VERSION);
  assert_status(specex_options_init(&options, INT64_MAX), SPECEX_ERROR_VERSION);
}

void context_null_options_are_the_defaults(void **) {
  specex_context *context = nullptr;
  assert_status(specex_create(nullptr, &context), SPECEX_OK);
  assert_non_null(context);
  assert_string_equal(specex_last_error(context), "");
  assert_status(specex_destroy(context), SPECEX_OK);
}

template <class T>
void assert_refused(T specex_options::*field, std::initializer_list<T> values,
                    const char *name) {
  for (const T value : values) {
    specex_options options = defaults();
    options.*field = value;
    auto *context = reinterpret_cast<specex_context *>(8);
    assert_status(specex_create(&options, &context), SPECEX_ERROR_ARGUMENT);
    assert_null(context);
    assert_non_null(std::strstr(specex_last_error(nullptr), name));
  }
}

void context_hostile_options_are_refused_by_name(void **) {
  using O = specex_options;
  const int32_t low = INT32_MIN;
  const int32_t high = INT32_MAX;
  assert_refused(&O::backend, {-1, 4, low, high}, "backend");
  assert_refused(&O::num_threads, {-1, 4097, low, high}, "num_threads");
  assert_refused(&O::compat, {-1, 2, low, high}, "compat");
  assert_refused(&O::decorrelate, {-1, 2, low, high}, "decorrelate");
  assert_refused(&O::bundlesize, {0, -1, low, high}, "bundlesize");
  assert_refused(&O::nsubbundles, {-1, low, high}, "nsubbundles");
  assert_refused(&O::nwavestep, {-1, low, high}, "nwavestep");
  assert_refused(&O::wavepad, {-1, low, high}, "wavepad");
  assert_refused(&O::wavepad_frac, {-0.1, nan, inf, -inf, 1e308}, "wavepad_frac");
  assert_refused(&O::pixpad_frac, {-0.1, 1.001, nan, inf, -inf, 1e308}, "pixpad_frac");
  assert_refused(&O::regularize, {-1e-4, nan, inf, -inf, 1e308}, "regularize");
  assert_refused(&O::psferr, {nan, inf, 1e308}, "psferr");
  assert_refused(&O::device, {-1, 1024, low, high}, "device");
  assert_refused(&O::num_devices, {0, -1, 65, low, high}, "num_devices");
  assert_refused(&O::device_memory, {int64_t{-1}, INT64_MIN}, "device_memory");
  assert_refused(&O::spot_memory, {int64_t{-1}, INT64_MIN}, "spot_memory");
}

void context_missing_device_is_said(void **) {
  specex_options options = defaults();
  options.backend = SPECEX_BACKEND_CUDA;
  specex_context *context = nullptr;
  const specex_status status = specex_create(&options, &context);
  if (status == SPECEX_OK) {  // a build with CUDA on a machine with a GPU
    assert_status(specex_destroy(context), SPECEX_OK);
    return;
  }
  assert_int_equal(status, SPECEX_ERROR_NO_DEVICE);
  assert_null(context);
  assert_true(std::strlen(specex_last_error(nullptr)) > 10);
}

void context_create_refuses_null_and_unknown_structs(void **) {
  specex_options options = defaults();
  assert_status(specex_create(&options, nullptr), SPECEX_ERROR_ARGUMENT);
  specex_context *context = nullptr;
  options.struct_size = sizeof options - 1;
  assert_status(specex_create(&options, &context), SPECEX_ERROR_VERSION);
  assert_null(context);
}

void context_destroyed_handles_are_recognised(void **) {
  assert_status(specex_destroy(nullptr), SPECEX_OK);
  specex_context *context = nullptr;
  assert_status(specex_create(nullptr, &context), SPECEX_OK);
  assert_status(specex_destroy(context), SPECEX_OK);
  assert_status(specex_destroy(context), SPECEX_ERROR_HANDLE);
  assert_status(specex_set_log(context, nullptr, nullptr), SPECEX_ERROR_HANDLE);
  assert_status(specex_set_progress(context, nullptr, nullptr), SPECEX_ERROR_HANDLE);
  char text[10];
  assert_status(specex_describe(context, text, sizeof text), SPECEX_ERROR_HANDLE);
  assert_status(specex_set_psf(context, nullptr), SPECEX_ERROR_HANDLE);
  assert_non_null(std::strstr(specex_last_error(context), "destroyed"));
  int other = 0;
  assert_status(specex_destroy(reinterpret_cast<specex_context *>(&other)),
                SPECEX_ERROR_HANDLE);
}

void context_null_handle_is_an_argument_error_everywhere(void **) {
  const specex_status expected = SPECEX_ERROR_ARGUMENT;
  char text[10];
  specex_psf_info info{};
  specex_grid grid{};
  specex_image image{};
  specex_frame frame{};
  specex_patch patch{};
  specex_result result{};
  specex_psf psf{};
  int64_t count = 0;
  double value = 0.0;
  assert_status(specex_describe(nullptr, text, 10), expected);
  assert_status(specex_set_log(nullptr, nullptr, nullptr), expected);
  assert_status(specex_set_progress(nullptr, nullptr, nullptr), expected);
  assert_status(specex_set_psf(nullptr, &psf), expected);
  assert_status(specex_get_psf_info(nullptr, &info), expected);
  assert_status(specex_trace(nullptr, 0, &value, 1, &value, &value), expected);
  assert_status(specex_plan(nullptr, &grid, 0, 1, nullptr, 0, &count), expected);
  assert_status(specex_extract_patches(nullptr, &image, &patch, 1, &result), expected);
  assert_status(specex_assemble(nullptr, &patch, &result, 1, &frame), expected);
  assert_status(specex_extract_frame(nullptr, &image, &grid, 0, 1, &frame), expected);
  assert_status(specex_stage_seconds(nullptr, &value, 1), expected);
  assert_status(specex_project(nullptr, &grid, 0, 1, &value, 1, 1, &value), expected);
}

void context_calls_before_set_psf_are_out_of_order(void **) {
  Case c = specex_test::make_case();
  const Context context(specex_test::small_options());
  Frame frame(c, 0, 1);
  const specex_image image = c.image();
  specex_psf_info info{};
  info.struct_size = sizeof info;
  specex_patch patch{};
  patch.struct_size = sizeof patch;
  specex_result result{};
  result.struct_size = sizeof result;
  int64_t count = 0;
  double value = 6000.0;
  const specex_status expected = SPECEX_ERROR_STATE;
  assert_status(specex_get_psf_info(context, &info), expected);
  assert_status(specex_trace(context, 0, &value, 1, &value, &value), expected);
  assert_status(specex_plan(context, &c.grid, 0, 1, nullptr, 0, &count), expected);
  assert_status(specex_extract_patches(context, &image, &patch, 1, &result), expected);
  assert_status(specex_assemble(context, &patch, &result, 1, frame.get()), expected);
  assert_status(specex_extract_frame(context, &image, &c.grid, 0, 1, frame.get()),
                expected);
  assert_status(specex_project(context, &c.grid, 0, 1, c.truth.data(), 5, 5, &value),
                expected);
  assert_non_null(std::strstr(specex_last_error(context), "specex_set_psf"));
}

void context_describe_names_backend_and_threads_and_fits_the_buffer(void **) {
  for (const int32_t backend : {SPECEX_BACKEND_CPU, SPECEX_BACKEND_REFERENCE}) {
    const Context context(specex_test::small_options(backend));
    char text[200];
    assert_status(specex_describe(context, text, sizeof text), SPECEX_OK);
    assert_non_null(
        std::strstr(text, backend == SPECEX_BACKEND_CPU ? "cpu" : "reference"));
    assert_non_null(std::strstr(text, "threads 1"));
    assert_non_null(std::strstr(text, specex_version()));
    const std::string whole = text;
    for (size_t capacity = 1; capacity < whole.size() + 3; ++capacity) {
      std::vector<char> exact(capacity, '#');  // a sanitizer sees the byte after it
      assert_status(
          specex_describe(context, exact.data(), static_cast<int64_t>(capacity)),
          SPECEX_OK);
      assert_string_equal(exact.data(), whole.substr(0, capacity - 1).c_str());
    }
    assert_status(specex_describe(context, nullptr, 10), SPECEX_ERROR_ARGUMENT);
    assert_status(specex_describe(context, text, 0), SPECEX_ERROR_ARGUMENT);
    assert_status(specex_describe(context, text, -1), SPECEX_ERROR_ARGUMENT);
  }
}

void context_last_error_is_kept_per_context_and_per_thread(void **) {
  const Context one(specex_test::small_options());
  const Context two(specex_test::small_options());
  assert_string_equal(specex_last_error(one), "");
  assert_status(specex_describe(one, nullptr, 1), SPECEX_ERROR_ARGUMENT);
  assert_non_null(std::strstr(specex_last_error(one), "buffer"));
  assert_string_equal(specex_last_error(two), "");
  assert_status(specex_create(nullptr, nullptr), SPECEX_ERROR_ARGUMENT);
  assert_non_null(std::strstr(specex_last_error(nullptr), "context"));
  std::string elsewhere = "?";
  std::thread([&] { elsewhere = specex_last_error(nullptr); }).join();
  assert_string_equal(elsewhere.c_str(), "");
}

struct Logged {
  int32_t level = 0;
  std::string message;
  int count = 0;
};

void log_into(int32_t level, const char *message, void *user) {
  auto *logged = static_cast<Logged *>(user);
  logged->level = level;
  logged->message = message;
  ++logged->count;
}

void context_log_warns_of_unusable_pixels(void **) {
  Case c = specex_test::make_case();
  c.pixel(30, 12) = nan;
  c.weight(31, 12) = -1.0;
  const Context context(specex_test::small_options(), c.psf.view());
  Logged logged;
  assert_status(specex_set_log(context, log_into, &logged), SPECEX_OK);
  Frame frame(c, 0, 4);
  const specex_image image = c.image();
  assert_status(specex_extract_frame(context, &image, &c.grid, 0, 4, frame.get()),
                SPECEX_OK);
  assert_int_equal(logged.count, 1);
  assert_int_equal(logged.level, SPECEX_LOG_WARNING);
  assert_non_null(std::strstr(logged.message.c_str(), "2 pixels"));
  assert_status(specex_set_log(context, nullptr, nullptr), SPECEX_OK);
  assert_status(specex_extract_frame(context, &image, &c.grid, 0, 4, frame.get()),
                SPECEX_OK);
  assert_int_equal(logged.count, 1);
}

struct Entry {
  specex_context *context;
  std::vector<specex_status> statuses;
  bool message_is_readable = true;
};

int32_t enter_again(int64_t, int64_t, void *user) {
  auto *entry = static_cast<Entry *>(user);
  char text[10];
  entry->statuses.push_back(specex_describe(entry->context, text, sizeof text));
  entry->statuses.push_back(specex_destroy(entry->context));
  entry->message_is_readable &= specex_last_error(entry->context) != nullptr;
  return 0;
}

void context_is_busy_inside_its_own_callback(void **) {
  Case c = specex_test::make_case();
  const Context context(specex_test::small_options(), c.psf.view());
  Entry entry{context, {}};
  assert_status(specex_set_progress(context, enter_again, &entry), SPECEX_OK);
  Frame frame(c, 0, 2);
  const specex_image image = c.image();
  assert_status(specex_extract_frame(context, &image, &c.grid, 0, 2, frame.get()),
                SPECEX_OK);
  assert_true(entry.statuses.size() > 4);
  for (const specex_status status : entry.statuses)
    assert_status(status, SPECEX_ERROR_BUSY);
  assert_true(entry.message_is_readable);
}

struct Meeting {
  std::atomic<bool> inside{false};
  std::atomic<bool> leave{false};
};

int32_t wait_inside(int64_t, int64_t, void *user) {
  auto *meeting = static_cast<Meeting *>(user);
  meeting->inside = true;
  while (!meeting->leave) std::this_thread::yield();
  return 0;
}

void context_is_busy_for_a_second_thread(void **) {
  Case c = specex_test::make_case();
  const Context context(specex_test::small_options(), c.psf.view());
  Meeting meeting;
  assert_status(specex_set_progress(context, wait_inside, &meeting), SPECEX_OK);
  std::vector<double> pixels(static_cast<size_t>(c.nx * c.ny));
  specex_status first = SPECEX_OK;
  std::thread other([&] {
    first =
        specex_project(context, &c.grid, 0, 1, c.truth.data(), c.nx, c.ny, pixels.data());
  });
  while (!meeting.inside) std::this_thread::yield();
  char text[10];
  const specex_status second = specex_describe(context, text, sizeof text);
  const std::string own_message = specex_last_error(context);
  const specex_status destroyed = specex_destroy(context);
  const std::string message = specex_last_error(nullptr);
  const std::string message_of_destroy = specex_last_error(context);
  meeting.leave = true;
  other.join();
  assert_status(first, SPECEX_OK);
  assert_status(second, SPECEX_ERROR_BUSY);
  assert_status(destroyed, SPECEX_ERROR_BUSY);
  for (const std::string &told : {own_message, message, message_of_destroy})
    assert_non_null(std::strstr(told.c_str(), "another thread is inside"));
  assert_status(specex_describe(context, text, sizeof text), SPECEX_OK);
  assert_string_equal(specex_last_error(context), "");
}

void context_of_the_parent_is_refused_after_a_fork(void **) {
  const Context context(specex_test::small_options());
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    char text[10];
    if (specex_describe(context, text, sizeof text) != SPECEX_ERROR_FORKED) _exit(1);
    if (specex_destroy(context) != SPECEX_ERROR_FORKED) _exit(2);
    const specex_options options = specex_test::small_options();
    specex_context *own = nullptr;
    if (specex_create(&options, &own) != SPECEX_OK) _exit(3);
    if (specex_destroy(own) != SPECEX_OK) _exit(4);
    _exit(0);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
  char text[10];
  assert_status(specex_describe(context, text, sizeof text), SPECEX_OK);
}

void context_made_after_a_fork_extracts_without_the_parents_threads(void **) {
  const Case c = specex_test::make_case();
  specex_options options = specex_test::small_options();
  options.num_threads = 2;
  const Frame expected = specex_test::extract(c, options);
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    alarm(60);  // it used to wait for ever
    _exit(specex_test::same_bits(specex_test::extract(c, options), expected) ? 0 : 1);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

void context_many_live_at_once_and_give_the_same_bits(void **) {
  const Case c = specex_test::make_case();
  const Frame expected = specex_test::extract(c, specex_test::small_options());
  std::vector<int> same(6, 0);
  std::vector<std::thread> threads;
  for (size_t t = 0; t < same.size(); ++t)
    threads.emplace_back([&, t] {
      same[t] = specex_test::same_bits(
          specex_test::extract(c, specex_test::small_options()), expected);
    });
  for (std::thread &thread : threads) thread.join();
  for (const int is : same) assert_true(is != 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(context_options_have_the_documented_defaults),
      cmocka_unit_test(context_options_init_fills_a_newer_struct_with_zeros),
      cmocka_unit_test(context_options_init_refuses_null_and_short_structs),
      cmocka_unit_test(context_null_options_are_the_defaults),
      cmocka_unit_test(context_hostile_options_are_refused_by_name),
      cmocka_unit_test(context_missing_device_is_said),
      cmocka_unit_test(context_create_refuses_null_and_unknown_structs),
      cmocka_unit_test(context_destroyed_handles_are_recognised),
      cmocka_unit_test(context_null_handle_is_an_argument_error_everywhere),
      cmocka_unit_test(context_calls_before_set_psf_are_out_of_order),
      cmocka_unit_test(context_describe_names_backend_and_threads_and_fits_the_buffer),
      cmocka_unit_test(context_last_error_is_kept_per_context_and_per_thread),
      cmocka_unit_test(context_log_warns_of_unusable_pixels),
      cmocka_unit_test(context_is_busy_inside_its_own_callback),
      cmocka_unit_test(context_is_busy_for_a_second_thread),
      cmocka_unit_test(context_of_the_parent_is_refused_after_a_fork),
      cmocka_unit_test(context_made_after_a_fork_extracts_without_the_parents_threads),
      cmocka_unit_test(context_many_live_at_once_and_give_the_same_bits),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
