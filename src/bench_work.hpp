// SPDX-License-Identifier: BSD-3-Clause
//
// How much there is to do in each stage, from the sizes of the problem alone: what the
// method of docs/numerics.md asks for, without the padding of vectors, what is computed
// twice, and what the checks cost.
#pragma once

#include <array>

#include "bench_problem.hpp"

namespace specex_cli {

struct Work {
  double flops = 0;  // a multiply-add is two
  double bytes = 0;  // read or written at least once
};

using StageWork = std::array<Work, SPECEX_NSTAGE>;

// context: with the problem's PSF.
StageWork count_work(const Context &context, const BenchProblem &problem);

}  // namespace specex_cli
