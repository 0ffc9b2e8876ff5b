// SPDX-License-Identifier: BSD-3-Clause
//
// Where a shortcut of the cpu or the cuda backend leaves out more than this, relative to
// the diagonal or in standard deviations, a window is solved without it
// (docs/numerics.md).
#pragma once

namespace specex {

inline constexpr double max_truncation = 3e-9;     // of marginal matrices, by their band
inline constexpr double max_residual = 1e-9;       // of the flux
inline constexpr double max_far_coupling = 1e-10;  // of fibres that are not neighbours
// What a window's ends change in its core: an upper bound, 100 to 1000 times what is
// found. (LaneGroup::check_padding derives it.)
inline constexpr double max_cut_effect = 1e-4;

}  // namespace specex
