// SPDX-License-Identifier: BSD-3-Clause
//
// The solution of one patch by elimination of whole fibres, in dense algebra: no band, no
// rational function, any coupling between fibres. This is the way that holds where the
// vector engine's shortcuts do not.
#pragma once

#include <optional>

#include "kernels/cpu/normal_equations.hpp"

namespace specex {

// At which ends the patch was cut out of a longer one, and how many bins' light may
// cross.
struct Cuts {
  bool low = false;
  bool high = false;
  int reach = 0;
};

// None where a block is not safely positive definite. cut_effect, where given: what the
// cuts may change in the core, in standard deviations.
std::optional<Solution> block_solve(const specex_patch &patch,
                                    const NormalEquations &normal, const Cuts &cuts = {},
                                    double *cut_effect = nullptr);

}  // namespace specex
