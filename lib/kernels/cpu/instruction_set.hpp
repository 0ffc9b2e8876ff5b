// SPDX-License-Identifier: BSD-3-Clause
//
// Which vector kernels a context uses: the best that this processor has, unless the
// environment variable SPECEX_SIMD (portable, avx2, avx512) asks for less, for
// reproducibility across machines.
#pragma once

#include "kernels/cpu/simd/kernels.hpp"

namespace specex {

// Throws ARGUMENT for an unknown name, UNSUPPORTED for what the processor lacks.
const simd::Kernels &choose_kernels();

}  // namespace specex
