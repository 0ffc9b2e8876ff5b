// SPDX-License-Identifier: BSD-3-Clause
#include "base/threads.hpp"

#include <sched.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <initializer_list>
#include <vector>

#include "base/deal.hpp"
#include "support/cmocka.hpp"

namespace {

int cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  assert_int_equal(sched_getaffinity(0, sizeof set, &set), 0);
  return CPU_COUNT(&set);
}

void threads_requested_number_is_wanted(void **) {
  setenv("OMP_NUM_THREADS", "3", 1);
  assert_int_equal(specex::wanted_threads(1), 1);
  assert_int_equal(specex::wanted_threads(17), 17);
}

void threads_default_follows_the_environment_then_the_cores(void **) {
  setenv("OMP_NUM_THREADS", "3", 1);
  assert_int_equal(specex::wanted_threads(0), 3);
  setenv("OMP_NUM_THREADS", "99999999", 1);
  assert_int_equal(specex::wanted_threads(0), 4096);
  for (const char *nonsense : {"", "many", "0", "-2"}) {
    setenv("OMP_NUM_THREADS", nonsense, 1);
    assert_int_equal(specex::wanted_threads(0), cores());
  }
  unsetenv("OMP_NUM_THREADS");
  assert_int_equal(specex::wanted_threads(0), cores());
}

void threads_probe_finds_what_there_is(void **) {
  for (const int wanted : {1, 2, 8})
    assert_int_equal(specex::probe_threads(wanted), wanted);
}

// In a child, because limits cannot be raised again. Threads are refused where the
// address space has no room for their stacks; sanitizers need theirs, so not there.
void threads_probe_survives_a_refusal(void **) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  skip();
#endif
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) {
    const rlimit limit{256u << 20, 256u << 20};
    if (setrlimit(RLIMIT_AS, &limit) != 0) _exit(100);
    const int found = specex::probe_threads(200);
    _exit(found >= 1 && found < 200 ? 0 : 1);
  }
  int status = 0;
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFEXITED(status));
  assert_int_equal(WEXITSTATUS(status), 0);
}

void threads_are_dealt_every_part_once(void **) {
  for (const int threads : {0, 1, 2, 7}) {
    for (const size_t count : {0, 1, 9, 10, 11, 1000}) {
      std::vector<std::atomic<int>> visits(count);
      specex::deal_parts(threads, count, 10, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) ++visits[i];
      });
      for (const auto &visit : visits) assert_int_equal(visit, 1);
    }
  }
}

void threads_failure_reaches_the_caller(void **) {
  for (const int threads : {1, 4}) {
    bool thrown = false;
    try {
      specex::deal(threads, 100, [](size_t i) {
        if (i == 50) specex::fail(SPECEX_ERROR_IO, "at fifty");
      });
    } catch (const specex::Error &error) {
      thrown = true;
      assert_int_equal(error.status(), SPECEX_ERROR_IO);
      assert_string_equal(error.what(), "at fifty");
    }
    assert_true(thrown);
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(threads_requested_number_is_wanted),
      cmocka_unit_test(threads_default_follows_the_environment_then_the_cores),
      cmocka_unit_test(threads_probe_finds_what_there_is),
      cmocka_unit_test(threads_probe_survives_a_refusal),
      cmocka_unit_test(threads_are_dealt_every_part_once),
      cmocka_unit_test(threads_failure_reaches_the_caller),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
