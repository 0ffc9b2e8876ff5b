// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/cpu/instruction_set.hpp"

#include <cstdlib>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "kernels/cpu/simd/instruction_sets.hpp"

namespace specex {
namespace {

struct Choice {
  const simd::Kernels *kernels;
  bool available;
};

// Best first.
std::vector<Choice> choices() {
  return {
#if defined(__x86_64__)
    {&avx512::kernels,
     __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw")},
        {&avx2::kernels, __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")},
#endif
    {
      &portable::kernels, true
    }
  };
}

}  // namespace

const simd::Kernels &choose_kernels() {
  const char *wanted = std::getenv("SPECEX_SIMD");
  for (const Choice &choice : choices()) {
    if (wanted == nullptr || *wanted == '\0') {
      if (choice.available) return *choice.kernels;
    } else if (std::string_view(wanted) == choice.kernels->name) {
      if (choice.available) return *choice.kernels;
      fail(SPECEX_ERROR_UNSUPPORTED, "SPECEX_SIMD is %s, which this processor lacks",
           wanted);
    }
  }
  fail(SPECEX_ERROR_ARGUMENT, "SPECEX_SIMD is '%s'; it must be portable, avx2 or avx512",
       wanted);
}

}  // namespace specex
