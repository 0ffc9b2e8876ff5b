// SPDX-License-Identifier: BSD-3-Clause
//
// The process around the library: its floating-point modes, locale, errno, stack and
// standard streams neither change a result nor are changed.
#include <fcntl.h>
#include <pthread.h>
#include <specex/specex.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cfenv>
#include <clocale>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#include "support/cmocka.hpp"
#include "support/synthetic_case.hpp"

namespace {

using specex_test::Case;
using specex_test::Frame;

specex_options options_for(int32_t backend, int threads) {
  specex_options options = specex_test::small_options(backend);
  options.num_threads = threads;
  return options;
}

struct Kind {
  int32_t backend;
  int threads;
};
constexpr Kind kinds[] = {
    {SPECEX_BACKEND_CPU, 1}, {SPECEX_BACKEND_CPU, 3}, {SPECEX_BACKEND_REFERENCE, 1}};

void environment_rounding_modes_give_the_same_bits(void **) {
  const Case c = specex_test::make_case();
  for (const Kind &kind : kinds) {
    const Frame expected =
        specex_test::extract(c, options_for(kind.backend, kind.threads));
    for (const int mode : {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
      std::fesetround(mode);
      const Frame frame =
          specex_test::extract(c, options_for(kind.backend, kind.threads));
      const int after = std::fegetround();
      std::fesetround(FE_TONEAREST);
      assert_int_equal(after, mode);
      assert_true(specex_test::same_bits(frame, expected));
    }
  }
}

void environment_traps_neither_fire_nor_get_lost(void **) {
  Case c = specex_test::make_case();
  for (int64_t x = 0; x < c.nx; ++x) c.pixel(30, x) = 1e300;  // overflows in squares
  c.pixel(40, 20) = std::numeric_limits<double>::signaling_NaN();
  for (const Kind &kind : kinds) {
    const Frame expected =
        specex_test::extract(c, options_for(kind.backend, kind.threads));
    const int traps = FE_INVALID | FE_DIVBYZERO | FE_OVERFLOW;
    std::feclearexcept(FE_ALL_EXCEPT);
    feenableexcept(traps);
    const Frame frame = specex_test::extract(c, options_for(kind.backend, kind.threads));
    const int after = fegetexcept();
    fedisableexcept(FE_ALL_EXCEPT);
    assert_int_equal(after, traps);
    assert_true(specex_test::same_bits(frame, expected));
  }
}

void environment_flush_to_zero_gives_the_same_bits(void **) {
#if defined(__x86_64__)
  Case c = specex_test::make_case();
  for (double &pixel : c.pixels) pixel *= 0x1p-500;
  for (double &weight : c.ivar) weight *= 0x1p1000;  // many subnormals on the way
  for (const Kind &kind : kinds) {
    const Frame expected =
        specex_test::extract(c, options_for(kind.backend, kind.threads));
    const unsigned saved = _mm_getcsr();
    _mm_setcsr(saved | 0x8040);  // FTZ and DAZ
    const Frame frame = specex_test::extract(c, options_for(kind.backend, kind.threads));
    const unsigned after = _mm_getcsr();
    _mm_setcsr(saved);
    assert_int_equal(after & 0x8040, 0x8040);
    assert_true(specex_test::same_bits(frame, expected));
  }
#else
  skip();
#endif
}

void environment_locale_gives_the_same_bits_and_stays(void **) {
  const Case c = specex_test::make_case({.nwave = 12});
  const Frame expected = specex_test::extract(c, options_for(SPECEX_BACKEND_CPU, 1));
  int tried = 0;
  for (const char *name : {"C.UTF-8", "de_DE.UTF-8", "tr_TR.UTF-8"}) {
    if (std::setlocale(LC_ALL, name) == nullptr) continue;
    ++tried;
    const Frame frame = specex_test::extract(c, options_for(SPECEX_BACKEND_CPU, 1));
    const std::string after = std::setlocale(LC_ALL, nullptr);
    std::setlocale(LC_ALL, "C");
    assert_string_equal(after.c_str(), name);
    assert_true(specex_test::same_bits(frame, expected));
  }
  assert_true(tried >= 1);
}

void environment_errno_is_kept(void **) {
  Case c = specex_test::make_case({.nwave = 12});
  const specex_test::Context context(options_for(SPECEX_BACKEND_CPU, 2), c.psf.view());
  const specex_image image = c.image();
  Frame frame(c, 0, 6);
  specex_context *other = nullptr;
  errno = 12345;
  assert_status(specex_extract_frame(context, &image, &c.grid, 0, 6, frame.get()),
                SPECEX_OK);
  assert_int_equal(errno, 12345);
  assert_status(specex_extract_frame(context, nullptr, &c.grid, 0, 6, frame.get()),
                SPECEX_ERROR_ARGUMENT);
  assert_status(specex_create(nullptr, &other), SPECEX_OK);
  assert_status(specex_destroy(other), SPECEX_OK);
  assert_status(specex_destroy(other), SPECEX_ERROR_HANDLE);
  assert_int_equal(errno, 12345);
}

struct Job {
  const Case *c;
  int32_t backend;
  Frame result;
};

void *extract_job(void *argument) {
  auto *job = static_cast<Job *>(argument);
  job->result = specex_test::extract(*job->c, options_for(job->backend, 1));
  return nullptr;
}

// Fortran and instrument programs call from threads with little stack.
void environment_small_stack_is_enough(void **) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr size_t stack = 1 << 20;  // sanitizers need more themselves
#else
  constexpr size_t stack = 64 << 10;
#endif
  // The wider the bands, the more is in hand at a time.
  Case beside_dead_rows = specex_test::make_case({.nwave = 60});
  for (int64_t y = 38; y < 56; ++y)
    for (int64_t x = 0; x < beside_dead_rows.nx; ++x) beside_dead_rows.weight(y, x) = 0.0;
  const Case cases[] = {specex_test::make_case(), beside_dead_rows,
                        specex_test::make_case({.spacing = 5.0}),
                        specex_test::make_case({.spacing = 4.0})};
  for (const Case &c : cases)
    for (const int32_t backend : {SPECEX_BACKEND_CPU, SPECEX_BACKEND_REFERENCE}) {
      const Frame expected = specex_test::extract(c, options_for(backend, 1));
      Job job{&c, backend, Frame(c, 0, 6)};
      pthread_attr_t attributes;
      pthread_attr_init(&attributes);
      assert_int_equal(pthread_attr_setstacksize(&attributes, stack), 0);
      pthread_t thread;
      assert_int_equal(pthread_create(&thread, &attributes, extract_job, &job), 0);
      assert_int_equal(pthread_join(thread, nullptr), 0);
      pthread_attr_destroy(&attributes);
      assert_true(specex_test::same_bits(job.result, expected));
    }
}

// Both streams go to a file while the library works well, badly and not at all.
void environment_nothing_is_printed(void **) {
  Case c = specex_test::make_case();
  c.pixel(40, 20) = std::numeric_limits<double>::quiet_NaN();
  FILE *file = std::tmpfile();
  assert_non_null(file);
  std::fflush(stdout);
  std::fflush(stderr);
  const int out = dup(STDOUT_FILENO);
  const int err = dup(STDERR_FILENO);
  dup2(fileno(file), STDOUT_FILENO);
  dup2(fileno(file), STDERR_FILENO);
  specex_status status = SPECEX_OK;
  for (const Kind &kind : kinds)
    specex_test::extract(c, options_for(kind.backend, kind.threads), &status);
  Case dark = c;
  std::fill(dark.ivar.begin(), dark.ivar.end(), 0.0);
  Case strange = c;
  strange.psf.xtrace[0] = 1e308;
  for (const int32_t compat : {SPECEX_COMPAT_NONE, SPECEX_COMPAT_GPU_SPECTER})
    for (const Case *one : {&dark, &strange}) {
      specex_options options = options_for(SPECEX_BACKEND_CPU, 1);
      options.compat = compat;
      specex_test::extract(*one, options, &status);
    }
  specex_create(nullptr, nullptr);
  std::fflush(stdout);
  std::fflush(stderr);
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  close(out);
  close(err);
  struct stat what {};
  assert_int_equal(fstat(fileno(file), &what), 0);
  std::fclose(file);
  assert_int_equal(what.st_size, 0);
}

void environment_directory_and_umask_are_kept(void **) {
  char before[4096];
  char after[4096];
  assert_non_null(getcwd(before, sizeof before));
  const mode_t mask = umask(027);
  specex_test::extract(specex_test::make_case({.nwave = 12}),
                       options_for(SPECEX_BACKEND_CPU, 2));
  assert_int_equal(umask(mask), 027);
  assert_non_null(getcwd(after, sizeof after));
  assert_string_equal(before, after);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(environment_rounding_modes_give_the_same_bits),
      cmocka_unit_test(environment_traps_neither_fire_nor_get_lost),
      cmocka_unit_test(environment_flush_to_zero_gives_the_same_bits),
      cmocka_unit_test(environment_locale_gives_the_same_bits_and_stays),
      cmocka_unit_test(environment_errno_is_kept),
      cmocka_unit_test(environment_small_stack_is_enough),
      cmocka_unit_test(environment_nothing_is_printed),
      cmocka_unit_test(environment_directory_and_umask_are_kept),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
