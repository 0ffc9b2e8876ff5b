// SPDX-License-Identifier: BSD-3-Clause
//
// What the algebra needs of vectors beyond vector.hpp.
#pragma once

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#include "kernels/cpu/simd/vector.hpp"

namespace specex::SPECEX_ISA {

// A vector that is used more than once and is to be loaded once: compilers like to load
// it with each use, and loads are what some loops wait for.
SPECEX_INLINE Vector load_once(const double *from) {
  Vector value = load(from);
#if defined(__AVX512F__)
  asm("" : "+v"(value));
#endif
  return value;
}

// Eight numbers and eight more.
template <class Both, class Half>
SPECEX_INLINE Both side_by_side(const Half &low, const Half &high) {
  if constexpr (is_pair<Both>)
    return {low, high};
  else
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
                                   13, 14, 15);
}

template <class V>
SPECEX_INLINE V maximum(const V &a, const V &b) {
  return select(a > b, a, b);
}

// 1 / a to about rounding, sooner than by division.
SPECEX_INLINE Vector reciprocal(const Vector &a) {
#if defined(__AVX512F__)
  const Vector x = _mm512_maskz_rcp14_pd(0xff, a);
  const Vector error = 1.0 - a * x;
  const Vector closer = x + x * error;
  return closer + closer * (error * error);
#else
  return 1.0 / a;
#endif
}

// 1 / sqrt(a) to about rounding, of positive numbers. The bits of others might overflow.
SPECEX_INLINE Vector inverse_root(const Vector &a) {
  Vector x = bits_as<Vector>(0x5fe6eb50c7b537a9 - (bits_as<Integers>(absolute(a)) >> 1));
  for (int k = 0; k < 4; ++k) x *= 1.5 - 0.5 * a * x * x;
  return x;
}

// A bit for each lane where it is so.
SPECEX_INLINE int bits(const Integers &condition) {
  int result = 0;
  for (int lane = 0; lane < lanes; ++lane)
    if (condition[lane] != 0) result |= 1 << lane;
  return result;
}

// Keeps the largest of each lane, or what is no number.
SPECEX_INLINE void note(const Vector &value, double *worst) {
  for (int lane = 0; lane < lanes; ++lane)
    if (!(value[lane] <= worst[lane])) worst[lane] = value[lane];
}

}  // namespace specex::SPECEX_ISA
