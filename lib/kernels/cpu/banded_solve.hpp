// SPDX-License-Identifier: BSD-3-Clause
//
// The solution of a patch from its banded normal equations:
//   N = L L^T,  f = N^-1 b,  C_ii = E_i^T N^-1 E_i,  Q_i = (C_ii^-1)^1/2
// (Bolton & Schlegel 2010, eqs. 4 and 10-13) with a band Cholesky factor L and dense
// algebra only on each fibre's own block.
#pragma once

#include <optional>

#include "kernels/cpu/normal_equations.hpp"

namespace specex {

// Nothing where N or a block is not safely positive definite: then use dense_solve.
std::optional<Solution> banded_solve(const specex_patch &patch,
                                     const BandedNormal &normal);

}  // namespace specex
