// SPDX-License-Identifier: BSD-3-Clause
//
// A device of the cuda backend that is the processor: the same steps, memory and faults,
// one thread after the other. What tests run where there is no GPU.
#pragma once

#include <specex/specex.h>

extern "C" {
// The call'th call of the device from now on (counted from 0) fails with `status`, and,
// for SPECEX_ERROR_DEVICE, every later one; -1: none does, and earlier failures are
// forgotten.
SPECEX_API void specex_emulated_fail_at(int64_t call, specex_status status);
// How many calls there were since then.
SPECEX_API int64_t specex_emulated_calls(void);
// Bytes that the device has; its contexts share them.
SPECEX_API void specex_emulated_set_memory(int64_t bytes);
// Bytes that are in use.
SPECEX_API int64_t specex_emulated_memory_in_use(void);
}
