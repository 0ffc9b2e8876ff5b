// SPDX-License-Identifier: BSD-3-Clause
//
// Defaults and bounds of specex_options, in one place.
#pragma once

#include <specex/specex.h>

namespace specex {

specex_options default_options();

// Throws ARGUMENT, naming the option and its range.
void check_options(const specex_options &options);

}  // namespace specex
