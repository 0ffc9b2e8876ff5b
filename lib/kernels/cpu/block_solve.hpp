// SPDX-License-Identifier: BSD-3-Clause
//
// The solution of one patch by elimination of whole fibres, in dense algebra: no band, no
// rational function, any coupling between fibres. This is the way that holds where the
// vector engine's shortcuts do not.
#pragma once

#include <optional>

#include "kernels/cpu/normal_equations.hpp"

namespace specex {

// None where a block is not safely positive definite.
std::optional<Solution> block_solve(const specex_patch &patch,
                                    const BandedNormal &normal);

}  // namespace specex
