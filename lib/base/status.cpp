// SPDX-License-Identifier: BSD-3-Clause
#include "base/status.hpp"

namespace specex {

const char *status_name(specex_status status) noexcept {
  switch (status) {
#define SPECEX_STATUS(name, text) \
  case SPECEX_##name:             \
    return "SPECEX_" #name;
#include "base/status.def"
#undef SPECEX_STATUS
    default:
      return "SPECEX_UNKNOWN";
  }
}

const char *status_text(specex_status status) noexcept {
  switch (status) {
#define SPECEX_STATUS(name, text) \
  case SPECEX_##name:             \
    return text;
#include "base/status.def"
#undef SPECEX_STATUS
    default:
      return "unknown status";
  }
}

}  // namespace specex
