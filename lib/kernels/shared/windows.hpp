// SPDX-License-Identifier: BSD-3-Clause
//
// A long patch is solved in windows of its bins: each with so many bins around those that
// it answers for that the rest of the patch cannot be noticed. Windows are patches
// themselves.
#pragma once

#include <vector>

#include "kernels/shared/rules.hpp"
#include "model/psf.hpp"

namespace specex {

// Windows of a long patch come in multiples of so many: the lanes of a vector.
inline constexpr int windows_of_group = 8;

struct Window {
  size_t patch;        // index of the patch it belongs to
  specex_patch shape;  // what is solved
  bool whole;          // it is the patch
  bool cut_low;        // the patch goes on below, or above, what is solved
  bool cut_high;
};

// Bins on each side of a window after which the root of the normal matrix has decayed: it
// does so with the number of spots that follow each other.
int window_padding(const Psf &psf, const specex_patch &patch);

// Windows of one length: the patch itself where it is short, or where the compatible mode
// asks for exactly this patch.
void cut_into_windows(const Rules &rules, const Psf &psf, size_t index,
                      const specex_patch &patch, std::vector<Window> &windows);

// The bins that a window answers for, in short patches with `padding` bins around them.
std::vector<specex_patch> cut_short(const specex_patch &patch, const Window &window,
                                    int padding);

// A part of a patch with `padding` bins around it, as far as the patch has them.
specex_patch with_padding(const specex_patch &patch, specex_patch part, int padding);

}  // namespace specex
