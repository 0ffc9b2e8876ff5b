// SPDX-License-Identifier: BSD-3-Clause
#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "exposure/bounded_queue.hpp"
#include "exposure/frame_job.hpp"
#include "exposure/manifest.hpp"
#include "exposure/memory_budget.hpp"
#include "support/cmocka.hpp"

using namespace specex_cli;

namespace {

using Values = std::vector<std::pair<std::string, std::string>>;

void csv_fields_are_taken_apart(void **) {
  const auto rows = parse_csv(
      "\xef\xbb\xbf"
      "a,b\r\n 1 , two words \r\n\r\n\"x, \"\"y\"\"\n2\" ,\n3,\"\"",
      "t");
  assert_int_equal(rows.size(), 3);
  assert_true(rows[0].values == (Values{{"a", "1"}, {"b", "two words"}}));
  assert_string_equal(rows[0].where.c_str(), "'t', line 2");
  assert_true(rows[1].values == (Values{{"a", "x, \"y\"\n2"}, {"b", ""}}));
  assert_string_equal(rows[1].where.c_str(), "'t', line 4");
  assert_true(rows[2].values == (Values{{"a", "3"}, {"b", ""}}));
  assert_string_equal(rows[2].where.c_str(), "'t', line 6");
}

void json_values_are_as_typed(void **) {
  const auto rows = parse_json(R"([{"a": "x", "b": 1.5, "c": true, "d": null}])", "t");
  assert_int_equal(rows.size(), 1);
  assert_true(rows[0].values ==
              (Values{{"a", "x"}, {"b", "1.5"}, {"c", "true"}, {"d", ""}}));
}

template <class Call>
void expect_refused(Call call) {
  try {
    call();
    fail_msg("it was taken");
  } catch (const Failure &failure) {
    assert_int_equal(failure.exit_code(), exit_configuration);
  }
}

void manifests_that_are_none_are_refused(void **) {
  for (const char *bad : {"", "\n\n", "a,b\n1", "a\n1,2", "a\n\"1", "a\n\"1\"2"})
    expect_refused([&] { parse_csv(bad, "t"); });
  for (const char *bad : {"", "{}", "[1]", "[{]", "[{\"a\": {}}]"})
    expect_refused([&] { parse_json(bad, "t"); });
}

std::vector<FrameJob> jobs_of(const std::string &csv) {
  return make_jobs(parse_csv(csv, "t"), {}, {});
}

void jobs_longest_come_first(void **) {
  const auto jobs = jobs_of(
      "input,psf,output,nspec,wavelength\n"
      "preproc-b0-1.fits,p,1.fits,,\n"
      "preproc-r0-1.fits,p,2.fits,,\n"
      "preproc-z0-1.fits,p,3.fits,,\n"
      "preproc-z1-1.fits,p,4.fits,25,\n"
      "any.fits,p,5.fits,,\"5000,9000,0.8\"\n"
      "preproc-r1-1.fits,p,6.fits,,\n");
  const std::vector<size_t> expected = {4, 2, 0, 1, 5, 3};
  assert_true(longest_first(jobs) == expected);
}

void job_options_are_the_rows_before_the_commands(void **) {
  FrameOptions options;
  options.settings.nspec = 7;
  options.settings.options.regularize = 0.5;
  options.strict = true;
  RunOptions run;
  run.threads = 3;
  const auto jobs =
      make_jobs(parse_csv("input,psf,output,nspec,strict,no-scores\ni,p,a.fits,,,\n"
                          "i,p,b.fits,9,false,true\n",
                          "t"),
                options, run);
  assert_int_equal(*jobs[0].settings.nspec, 7);
  assert_true(jobs[0].settings.options.strict != 0);
  assert_true(jobs[0].output.scores);
  assert_int_equal(*jobs[1].settings.nspec, 9);
  assert_true(jobs[1].settings.options.strict == 0);
  assert_false(jobs[1].output.scores);
  for (const FrameJob &job : jobs) {
    assert_near(job.settings.options.regularize, 0.5, 0);
    assert_int_equal(job.settings.options.num_threads, 3);
  }
}

void queue_hands_all_on_and_holds_few(void **) {
  BoundedQueue<int> queue(2);
  std::atomic<int> ahead = 0;
  std::atomic<int> most = 0;
  std::thread producer([&] {
    for (int i = 0; i < 1000; ++i) {
      queue.push(i);
      most = std::max<int>(most, ++ahead);
    }
    queue.close();
  });
  int64_t sum = 0;
  while (const auto item = queue.pop()) {
    --ahead;
    sum += *item;
  }
  producer.join();
  assert_int_equal(sum, 999 * 1000 / 2);
  assert_true(most <= 3);
}

void queue_stopped_lets_all_go(void **) {
  BoundedQueue<int> queue(1);
  queue.push(1);
  std::thread producer([&] { queue.push(2); });
  queue.stop();
  producer.join();
  assert_false(queue.pop().has_value());
}

void budget_is_never_passed(void **) {
  MemoryBudget budget(100);
  std::atomic<int64_t> taken = 0;
  std::atomic<bool> passed = false;
  std::vector<std::thread> threads;
  for (int64_t bytes : {10, 40, 60, 90, 250})
    threads.emplace_back([&, bytes] {
      for (int i = 0; i < 50; ++i) {
        const auto share = budget.take(bytes);
        const int64_t now = taken += bytes;
        if (now > 100 && now != 250) passed = true;  // what is too large goes alone
        std::this_thread::yield();
        taken -= bytes;
      }
    });
  for (std::thread &thread : threads) thread.join();
  assert_false(passed);
}

void budget_stopped_lets_all_go(void **) {
  MemoryBudget budget(100);
  const auto share = budget.take(100);
  std::thread waiting([&] { const auto more = budget.take(1); });
  budget.stop();
  waiting.join();
}

void memory_of_this_machine_is_known(void **) {
  assert_true(available_memory() > 100000000);
  assert_true(available_memory() < int64_t{1} << 50);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(csv_fields_are_taken_apart),
      cmocka_unit_test(json_values_are_as_typed),
      cmocka_unit_test(manifests_that_are_none_are_refused),
      cmocka_unit_test(jobs_longest_come_first),
      cmocka_unit_test(job_options_are_the_rows_before_the_commands),
      cmocka_unit_test(queue_hands_all_on_and_holds_few),
      cmocka_unit_test(queue_stopped_lets_all_go),
      cmocka_unit_test(budget_is_never_passed),
      cmocka_unit_test(budget_stopped_lets_all_go),
      cmocka_unit_test(memory_of_this_machine_is_known),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
