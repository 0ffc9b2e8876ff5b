// SPDX-License-Identifier: BSD-3-Clause
#include "io/read_fibermap.hpp"

namespace specex::io {

FibermapFile read_fibermap(const char *name) {
  const FitsFile file(name);
  return {read_pass_through(file, file.require_table("FIBERMAP"))};
}

}  // namespace specex::io
