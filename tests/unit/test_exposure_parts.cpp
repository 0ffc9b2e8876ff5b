// SPDX-License-Identifier: BSD-3-Clause
#include <CLI/CLI.hpp>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "exposure/bounded_queue.hpp"
#include "exposure/exposure_options.hpp"
#include "exposure/frame_job.hpp"
#include "exposure/manifest.hpp"
#include "exposure/memory_budget.hpp"
#include "request.hpp"
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

ExposureOptions typed(const std::string &command) {
  ExposureOptions options;
  CLI::App app;
  add_exposure_options(app, options);
  app.parse(command);
  return options;
}

void sizes_are_megabytes_or_have_a_letter(void **) {
  const std::pair<const char *, int64_t> sizes[] = {
      {"1", 1000000},
      {"800M", 800000000},
      {"1.5G", 1500000000},
      {"20k", 20000},
      {"2T", int64_t{2000000000000}},
      {"0", 0},
      {"0.5", 500000},
  };
  for (const auto &[text, bytes] : sizes) {
    const ExposureOptions options =
        typed(std::string("--memory ") + text + " --device-memory " + text +
              " --spot-memory " + text);
    assert_int_equal(options.memory, bytes);
    assert_int_equal(options.spot_memory, bytes);
    assert_int_equal(options.run.device_memory, bytes);
  }
  for (const char *bad : {"M", "1X", "1MB", "-1", "nan", "inf", "1e18"}) {
    bool taken = true;
    try {
      typed(std::string("--memory=") + bad);
    } catch (const CLI::ValidationError &error) {
      taken = std::string(error.what()).find("--memory: must be a size") != 0;
    }
    assert_false(taken);
  }
}

specex_options asked(const std::string &command) {
  ExposureOptions options = typed(command);
  interpret(options.frame, options.run);
  return options.frame.settings.options;
}

void devices_are_those_of_the_command(void **) {
  const specex_options options =
      asked("--device 2 --num-devices 3 --device-memory 4G --backend cuda");
  assert_int_equal(options.backend, SPECEX_BACKEND_CUDA);
  assert_int_equal(options.device, 2);
  assert_int_equal(options.num_devices, 3);
  assert_int_equal(options.device_memory, 4000000000);
}

void devices_are_not_taken_where_the_environment_forbids(void **) {
  for (const auto &[value, backend] :
       {std::pair{"1", SPECEX_BACKEND_CPU}, std::pair{"", SPECEX_BACKEND_AUTO},
        std::pair{"0", SPECEX_BACKEND_AUTO}}) {
    setenv("DESI_NO_GPU", value, 1);
    assert_int_equal(asked("").backend, backend);
    assert_int_equal(asked("--backend cuda").backend, SPECEX_BACKEND_CUDA);
  }
  unsetenv("DESI_NO_GPU");
  assert_int_equal(asked("").backend, SPECEX_BACKEND_AUTO);
}

void request_is_the_same_on_any_threads_and_devices(void **) {
  const auto digest = [](const char *command) {
    ExtractionSettings settings;
    settings.options = asked(command);
    return request_digest("inputs", settings, {});
  };
  const std::string own = digest("");
  assert_true(digest("--threads 7 --device 1 --num-devices 4 --device-memory 1G") == own);
  assert_true(digest("--backend cuda") != digest("--backend cpu"));
  assert_true(digest("--strict") != own);
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
      cmocka_unit_test(sizes_are_megabytes_or_have_a_letter),
      cmocka_unit_test(devices_are_those_of_the_command),
      cmocka_unit_test(devices_are_not_taken_where_the_environment_forbids),
      cmocka_unit_test(request_is_the_same_on_any_threads_and_devices),
      cmocka_unit_test(queue_hands_all_on_and_holds_few),
      cmocka_unit_test(queue_stopped_lets_all_go),
      cmocka_unit_test(budget_is_never_passed),
      cmocka_unit_test(budget_stopped_lets_all_go),
      cmocka_unit_test(memory_of_this_machine_is_known),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
