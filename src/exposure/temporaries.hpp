// SPDX-License-Identifier: BSD-3-Clause
//
// Temporary files of outputs, STEM.tmp<pid>...ENDING beside them, as the library and
// PendingFile name them: what a process leaves of them when it is killed.
#pragma once

#include <string>
#include <vector>

namespace specex_cli {

enum class WrittenBy { ended_processes, this_process };

// Files of a process of another machine that shares the folder are taken as left, unless
// a process of that number is here.
void remove_temporaries(const std::vector<std::string> &outputs, WrittenBy writers);

}  // namespace specex_cli
