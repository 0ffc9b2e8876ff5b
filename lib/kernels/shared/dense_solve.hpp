// SPDX-License-Identifier: BSD-3-Clause
//
// The solution of a patch by dense eigenvectors: what the reference is, and what other
// backends fall back to where their own way does not hold.
#pragma once

#include "kernels/shared/finish.hpp"

namespace specex {

// normal and data are numbered fibre by fibre (PatchShape), after conditioning.
Solution dense_solve(const Rules &rules, const specex_patch &patch,
                     const Symmetric &normal, const std::vector<double> &data);

}  // namespace specex
