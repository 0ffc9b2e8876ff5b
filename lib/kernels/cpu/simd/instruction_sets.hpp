// SPDX-License-Identifier: BSD-3-Clause
//
// The instruction sets that the kernels were compiled for.
#pragma once

#include "kernels/cpu/simd/kernels.hpp"

namespace specex {
namespace portable {
extern const simd::Kernels kernels;
}
#if defined(__x86_64__)
namespace avx2 {
extern const simd::Kernels kernels;
}
namespace avx512 {
extern const simd::Kernels kernels;
}
#endif
}  // namespace specex
