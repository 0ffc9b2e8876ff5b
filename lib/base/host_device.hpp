// SPDX-License-Identifier: BSD-3-Clause
//
// Marks functions that are compiled for the processor and, by a CUDA compiler, for the
// GPU as well: the scalar rules that all backends have in common. And loops of few rounds
// that are to become straight code in both.
#pragma once

#ifdef __CUDACC__
#define SPECEX_HOST_DEVICE __host__ __device__
#define SPECEX_UNROLL _Pragma("unroll")
#else
#define SPECEX_HOST_DEVICE
#define SPECEX_UNROLL _Pragma("GCC unroll 16")
#endif
