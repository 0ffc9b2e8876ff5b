// SPDX-License-Identifier: BSD-3-Clause
//
// The JSON file of `specex extract --timing`.
#pragma once

#include <string>

#include "extraction.hpp"

namespace specex_cli {

// Keys: read_s, extract_s, write_s, total_s (seconds), threads, backend, vectors,
// runs_on, patches, patches_failed, paths (how many patches each way of solving took).
void write_timing(const std::string &path, const Context &context,
                  const Extraction &extraction, double write_seconds,
                  double total_seconds);

}  // namespace specex_cli
