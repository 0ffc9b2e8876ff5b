// SPDX-License-Identifier: BSD-3-Clause
//
// The extraction of a problem, several times in process, into memory that was written
// before, and where its time goes.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "bench_problem.hpp"
#include "bench_work.hpp"

namespace specex_cli {

struct Measurement {
  std::string runs_on;
  int threads = 0;
  std::vector<double> seconds;                 // of each extraction, sorted
  std::array<double, SPECEX_NSTAGE> stages{};  // seconds of the fastest, over threads
  StageWork work{};
  specex_frame frame{};  // sizes and counts; its arrays are gone
  specex_psf_info psf{};
  int64_t image_nx = 0;
  int64_t image_ny = 0;

  double least() const { return seconds.front(); }
  double median() const { return seconds[seconds.size() / 2]; }
  double bins() const {
    return static_cast<double>(frame.nspec) * static_cast<double>(frame.nwave);
  }
};

Measurement measure(const BenchProblem &problem, const specex_options &options,
                    int repeats);

}  // namespace specex_cli
