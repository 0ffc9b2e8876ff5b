// SPDX-License-Identifier: BSD-3-Clause
//
// The cuda backend where there is no GPU: its steps on a device that is the processor
// (support/emulated_device.hpp). What it solves and what it leaves to the CPU, arrays in
// device memory, memory that is short, and every call of the device failing once.
#include <specex/specex.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "support/cmocka.hpp"
#include "support/emulated_device.hpp"
#include "support/synthetic_case.hpp"

namespace {

using specex_test::Case;
using specex_test::CaseSpec;
using specex_test::Context;
using specex_test::Frame;

size_t at(int64_t index) { return static_cast<size_t>(index); }

specex_options options_for(int32_t backend) {
  specex_options options = specex_test::small_options(backend);
  options.num_threads = 1;
  return options;
}

specex_status extract_into(const Context &context, const Case &c, Frame &frame) {
  const specex_image image = c.image();
  return specex_extract_frame(context, &image, &c.grid, 0, c.spec.nspec, frame.get());
}

// Messages of a context, one a line.
struct Messages {
  std::string text;
  int32_t lowest = SPECEX_LOG_DEBUG;
  static void keep(int32_t level, const char *message, void *user) {
    auto *own = static_cast<Messages *>(user);
    if (level >= own->lowest) own->text += std::string(message) + "\n";
  }
};

std::string describe(const Context &context) {
  char text[1024];
  assert_int_equal(specex_describe(context, text, sizeof text), SPECEX_OK);
  return text;
}

// Flux in standard deviations; others relative to 1 + value.
double difference(const Frame &a, const Frame &b) {
  double worst = 0.0;
  const auto compare = [&](const std::vector<double> &x, const std::vector<double> &y,
                           double scale) {
    for (size_t k = 0; k < x.size(); ++k)
      worst = std::max(worst, std::fabs(x[k] - y[k]) / (1.0 + std::fabs(y[k])) * scale);
  };
  for (size_t k = 0; k < a.flux.size(); ++k)
    worst = std::max(worst, std::fabs(a.flux[k] - b.flux[k]) * std::sqrt(b.ivar[k]));
  compare(a.ivar, b.ivar, 100.0);
  compare(a.resolution, b.resolution, 100.0);
  compare(a.chi2pix, b.chi2pix, 1.0);
  compare(a.pixmask_fraction, b.pixmask_fraction, 100.0);
  compare(a.model, b.model, 1.0);
  for (size_t k = 0; k < a.mask.size(); ++k)
    if (a.mask[k] != b.mask[k]) worst = INFINITY;
  return worst;
}

constexpr double agreement = 1e-6;

// Cases that the device is to solve without the CPU's help.
struct Regular {
  const char *name;
  CaseSpec spec;
  int32_t compat;
  int nwavestep;
};

std::vector<Regular> regular_cases() {
  return {{"default", {.nspec = 6, .nwave = 60}, SPECEX_COMPAT_NONE, 0},
          {"windows of a long patch", {.nspec = 3, .nwave = 420}, SPECEX_COMPAT_NONE, 0},
          {"divided", {.nspec = 6, .nwave = 60}, SPECEX_COMPAT_NONE, 20},
          {"compat", {.nspec = 6, .nwave = 60}, SPECEX_COMPAT_GPU_SPECTER, 20},
          {"windows that need a wider band",
           {.nspec = 3, .nwave = 300, .hsizey = 5, .rows_per_bin = 1.4},
           SPECEX_COMPAT_NONE,
           0},
          {"tails", {.nspec = 3, .nwave = 40, .tails = true}, SPECEX_COMPAT_NONE, 0},
          {"large spots",
           {.nspec = 3, .nwave = 40, .hsizex = 7, .hsizey = 8, .spacing = 16.0},
           SPECEX_COMPAT_NONE,
           0},
          {"wide bands",
           {.nspec = 4, .nwave = 40, .rows_per_bin = 1.0},
           SPECEX_COMPAT_NONE,
           0}};
}

void emulated_regular_cases_are_solved_on_the_device(void ** /*state*/) {
  for (const Regular &regular : regular_cases()) {
    Case c = specex_test::make_case(regular.spec);
    specex_options options = options_for(SPECEX_BACKEND_CUDA);
    options.compat = regular.compat;
    options.nwavestep = regular.nwavestep;
    options.nsubbundles = 2;
    Messages messages;
    const Context context(options, c.psf.view());
    specex_set_log(context, Messages::keep, &messages);
    Frame frame(c, 0, c.spec.nspec);
    assert_int_equal(extract_into(context, c, frame), SPECEX_OK);
    if (messages.text.find("the CPU the others (reasons 0)") == std::string::npos)
      fail_msg("%s: %s", regular.name, messages.text.c_str());
    options.backend = SPECEX_BACKEND_CPU;
    const Frame expected = specex_test::extract(c, options);
    const double worst = difference(frame, expected);
    if (!(worst <= agreement))
      fail_msg("%s: differs from the cpu backend by %g", regular.name, worst);
  }
}

void emulated_repeated_runs_give_the_same_bits(void ** /*state*/) {
  const Case c = specex_test::make_case({.nspec = 6, .nwave = 60});
  const specex_options options = options_for(SPECEX_BACKEND_CUDA);
  const Frame first = specex_test::extract(c, options);
  const Frame second = specex_test::extract(c, options);
  assert_true(specex_test::same_bits(first, second));
}

// Device memory is host memory here, so the arrays of a Frame may be called either.
void emulated_arrays_in_device_memory_give_the_same_bits(void ** /*state*/) {
  for (const bool masked : {false, true}) {
    Case c = specex_test::make_case({.nspec = 6, .nwave = 60});
    c.pixel(36, 9) = NAN;
    c.weight(37, 9) = -1.0;
    if (masked)  // so much that the CPU has to help
      for (int64_t y = 40; y < 60; ++y)
        for (int64_t x = 0; x < c.nx; ++x) c.weight(y, x) = 0.0;
    const Context context(options_for(SPECEX_BACKEND_CUDA), c.psf.view());
    Frame host(c, 0, c.spec.nspec);
    Frame device(c, 0, c.spec.nspec);
    specex_image image = c.image();
    assert_int_equal(
        specex_extract_frame(context, &image, &c.grid, 0, c.spec.nspec, host.get()),
        SPECEX_OK);
    image.memory = SPECEX_MEMORY_DEVICE;
    device.get()->memory = SPECEX_MEMORY_DEVICE;
    assert_int_equal(
        specex_extract_frame(context, &image, &c.grid, 0, c.spec.nspec, device.get()),
        SPECEX_OK);
    assert_true(specex_test::same_bits(host, device));
    assert_int_equal(device.frame.nbadpixel, 2);
    assert_int_equal(device.frame.npatch, host.frame.npatch);
    assert_int_equal(device.frame.npath_vector, host.frame.npath_vector);
    assert_memory_equal(host.wavelength.data(), device.wavelength.data(),
                        host.wavelength.size() * sizeof(double));
  }
}

// A fibre's numbers do not depend on which device had it.
void emulated_several_devices_share_a_frame(void ** /*state*/) {
  const Case c = specex_test::make_case({.nspec = 7, .nwave = 60});
  specex_options options = options_for(SPECEX_BACKEND_CUDA);
  options.bundlesize = 2;
  const Frame expected = specex_test::extract(c, options);
  for (const int count : {2, 3}) {
    options.num_devices = count;
    const Frame frame = specex_test::extract(c, options);
    assert_true(specex_test::same_bits(frame.flux, expected.flux));
    assert_true(specex_test::same_bits(frame.resolution, expected.resolution));
    assert_true(difference(frame, expected) <= 1e-12);
  }
  options.num_devices = 4;
  specex_context *context = nullptr;
  assert_int_equal(specex_create(&options, &context), SPECEX_ERROR_NO_DEVICE);
}

void emulated_patches_are_those_of_the_frame(void ** /*state*/) {
  Case c = specex_test::make_case({.nspec = 6, .nwave = 60});
  specex_options options = options_for(SPECEX_BACKEND_CUDA);
  options.nwavestep = 20;
  const Context context(options, c.psf.view());
  Frame whole(c, 0, c.spec.nspec);
  assert_int_equal(extract_into(context, c, whole), SPECEX_OK);
  std::vector<specex_patch> patches = specex_test::plan(context, c.grid, 0, c.spec.nspec);
  patches.push_back(patches.front());  // cores may have bins in common
  specex_test::Results results(patches);
  const specex_image image = c.image();
  assert_int_equal(specex_extract_patches(context, &image, patches.data(),
                                          static_cast<int64_t>(patches.size()),
                                          results.results.data()),
                   SPECEX_OK);
  const specex_result &first = results.results.front();
  const specex_result &again = results.results.back();
  const specex_patch &patch = patches.front();
  for (int64_t i = 0; i < patch.nfiber; ++i)
    for (int64_t j = 0; j < patch.nkeep; ++j)
      assert_true(first.flux[i * patch.nbin + j] == again.flux[i * patch.nbin + j]);
  const int64_t pixels = int64_t{patch.ymax - patch.ymin} * (patch.xmax - patch.xmin);
  assert_memory_equal(first.model, again.model, at(pixels) * sizeof(double));
  results.results.pop_back();
  patches.pop_back();
  Frame assembled(c, 0, c.spec.nspec);
  assert_int_equal(specex_assemble(context, patches.data(), results.results.data(),
                                   static_cast<int64_t>(patches.size()), assembled.get()),
                   SPECEX_OK);
  assert_true(specex_test::same_bits(assembled.flux, whole.flux));
  assert_true(specex_test::same_bits(assembled.ivar, whole.ivar));
  assert_true(specex_test::same_bits(assembled.resolution, whole.resolution));
  assert_true(difference(assembled, whole) <= 1e-12);
}

void emulated_short_memory_makes_smaller_batches(void ** /*state*/) {
  Case c = specex_test::make_case({.nspec = 6, .nwave = 60});
  specex_options options = options_for(SPECEX_BACKEND_CUDA);
  options.nwavestep = 20;
  const Frame expected = specex_test::extract(c, options);
  int made = 0;
  int refused = 0;
  for (int64_t memory = int64_t{1} << 26; memory >= 1 << 10; memory /= 2) {
    options.device_memory = memory;
    specex_status status = SPECEX_OK;
    const Frame frame = specex_test::extract(c, options, &status);
    if (status == SPECEX_OK) {
      ++made;
      assert_true(difference(frame, expected) <= 1e-12);
    } else {
      assert_int_equal(status, SPECEX_ERROR_MEMORY);
      ++refused;
    }
  }
  assert_true(made >= 4 && refused >= 1);
}

// Who left the choice to the library gets its result in any case.
void emulated_no_memory_falls_back_where_allowed(void ** /*state*/) {
  Case c = specex_test::make_case({.nspec = 6, .nwave = 60});
  specex_options options = options_for(SPECEX_BACKEND_AUTO);
  options.device_memory = 1024;
  Messages messages;
  messages.lowest = SPECEX_LOG_WARNING;
  const Context context(options, c.psf.view());
  specex_set_log(context, Messages::keep, &messages);
  assert_non_null(std::strstr(describe(context).c_str(), "backend cuda"));
  Frame frame(c, 0, c.spec.nspec);
  assert_int_equal(extract_into(context, c, frame), SPECEX_OK);
  assert_true(specex_test::same_bits(
      frame, specex_test::extract(c, options_for(SPECEX_BACKEND_CPU))));
  assert_non_null(std::strstr(describe(context).c_str(), "backend cpu"));
  assert_non_null(std::strstr(messages.text.c_str(), "the CPU is used"));
}

// Every call of the device in the life of a context fails once, in both ways.
void sweep(int32_t backend) {
  Case c = specex_test::make_case({.nspec = 3, .nwave = 20});
  const specex_options options = options_for(backend);
  const Frame expected = specex_test::extract(c, options_for(SPECEX_BACKEND_CPU));
  specex_emulated_fail_at(-1, SPECEX_OK);
  specex_test::extract(c, options);
  const int64_t calls = specex_emulated_calls();
  assert_true(calls > 50);
  for (const specex_status failure : {SPECEX_ERROR_MEMORY, SPECEX_ERROR_DEVICE})
    for (int64_t k = 0; k < calls; ++k) {
      specex_emulated_fail_at(k, failure);
      specex_context *context = nullptr;
      specex_status status = specex_create(&options, &context);
      if (status == SPECEX_OK) {
        assert_int_equal(specex_set_psf(context, c.psf.view()), SPECEX_OK);
        Frame frame(c, 0, c.spec.nspec);
        const specex_image image = c.image();
        status =
            specex_extract_frame(context, &image, &c.grid, 0, c.spec.nspec, frame.get());
        if (status == SPECEX_OK) assert_true(difference(frame, expected) <= agreement);
        assert_int_equal(specex_destroy(context), SPECEX_OK);
      } else {
        assert_null(context);
      }
      if (backend == SPECEX_BACKEND_AUTO)
        assert_int_equal(status, SPECEX_OK);
      else if (status != SPECEX_OK || failure == SPECEX_ERROR_DEVICE)
        assert_int_equal(status, failure);  // memory may do in two halves
      assert_int_equal(specex_emulated_memory_in_use(), 0);
    }
  specex_emulated_fail_at(-1, SPECEX_OK);
}

void emulated_every_failing_call_is_told_of(void ** /*state*/) {
  sweep(SPECEX_BACKEND_CUDA);
}

void emulated_every_failing_call_is_recovered_from(void ** /*state*/) {
  sweep(SPECEX_BACKEND_AUTO);
}

void emulated_a_lost_device_stays_lost(void ** /*state*/) {
  const Case c = specex_test::make_case({.nspec = 3, .nwave = 20});
  specex_emulated_fail_at(40, SPECEX_ERROR_DEVICE);
  specex_status status = SPECEX_OK;
  specex_test::extract(c, options_for(SPECEX_BACKEND_CUDA), &status);
  assert_int_equal(status, SPECEX_ERROR_DEVICE);
  const specex_options cuda = options_for(SPECEX_BACKEND_CUDA);
  specex_context *context = nullptr;
  assert_int_equal(specex_create(&cuda, &context), SPECEX_ERROR_DEVICE);
  assert_null(context);
  assert_non_null(std::strstr(specex_last_error(nullptr), "started again"));
  const Context other(options_for(SPECEX_BACKEND_AUTO));
  assert_non_null(std::strstr(describe(other).c_str(), "backend cpu"));
  assert_non_null(std::strstr(describe(other).c_str(), "started again"));
  specex_emulated_fail_at(-1, SPECEX_OK);
}

void emulated_a_device_that_is_not_there_is_named(void ** /*state*/) {
  specex_options options = options_for(SPECEX_BACKEND_CUDA);
  options.device = 7;
  specex_context *context = nullptr;
  assert_int_equal(specex_create(&options, &context), SPECEX_ERROR_NO_DEVICE);
  assert_non_null(std::strstr(specex_last_error(nullptr), "options.device is 7"));
}

void emulated_cancelling_masks_what_is_left(void ** /*state*/) {
  Case c = specex_test::make_case({.nspec = 6, .nwave = 60});
  const Context context(options_for(SPECEX_BACKEND_CUDA), c.psf.view());
  specex_set_progress(
      context, [](int64_t, int64_t, void *) -> int32_t { return 1; }, nullptr);
  Frame frame(c, 0, c.spec.nspec);
  assert_int_equal(extract_into(context, c, frame), SPECEX_CANCELLED);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(emulated_regular_cases_are_solved_on_the_device),
      cmocka_unit_test(emulated_repeated_runs_give_the_same_bits),
      cmocka_unit_test(emulated_arrays_in_device_memory_give_the_same_bits),
      cmocka_unit_test(emulated_several_devices_share_a_frame),
      cmocka_unit_test(emulated_patches_are_those_of_the_frame),
      cmocka_unit_test(emulated_short_memory_makes_smaller_batches),
      cmocka_unit_test(emulated_no_memory_falls_back_where_allowed),
      cmocka_unit_test(emulated_every_failing_call_is_told_of),
      cmocka_unit_test(emulated_every_failing_call_is_recovered_from),
      cmocka_unit_test(emulated_a_lost_device_stays_lost),
      cmocka_unit_test(emulated_a_device_that_is_not_there_is_named),
      cmocka_unit_test(emulated_cancelling_masks_what_is_left),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
