// SPDX-License-Identifier: BSD-3-Clause
#pragma once

#include <specex/specex.h>

namespace specex {

const char *status_name(specex_status status) noexcept;
const char *status_text(specex_status status) noexcept;

}  // namespace specex
