// SPDX-License-Identifier: BSD-3-Clause
//
// Eight doubles at a time, in the vector types of GCC and Clang: they read like scalars,
// and the compiler splits them for instruction sets with shorter registers. Each stage is
// one source, compiled once per instruction set into a namespace of its own (SPECEX_ISA);
// such a source uses nothing of the standard library, whose inline functions the linker
// would share between instruction sets.
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SPECEX_INLINE [[gnu::always_inline]] inline

namespace specex::SPECEX_ISA {

constexpr int lanes = 8;

using Vector = double __attribute__((vector_size(64)));
using Integers = int64_t __attribute__((vector_size(64)));
using Floats = float __attribute__((vector_size(32)));

// May lie anywhere.
using LooseVector = double __attribute__((vector_size(64), aligned(8), may_alias));
using LooseFloats = float __attribute__((vector_size(32), aligned(4), may_alias));

SPECEX_INLINE Vector load(const double *from) {
  return *reinterpret_cast<const LooseVector *>(from);
}
SPECEX_INLINE void store(double *to, Vector value) {
  *reinterpret_cast<LooseVector *>(to) = value;
}
SPECEX_INLINE Floats load(const float *from) {
  return *reinterpret_cast<const LooseFloats *>(from);
}
SPECEX_INLINE void store(float *to, Floats value) {
  *reinterpret_cast<LooseFloats *>(to) = value;
}
SPECEX_INLINE Vector widen(Floats value) {
  return __builtin_convertvector(value, Vector);
}
SPECEX_INLINE Floats narrow(Vector value) {
  return __builtin_convertvector(value, Floats);
}

SPECEX_INLINE Vector broadcast(double value) {
  return Vector{value, value, value, value, value, value, value, value};
}
SPECEX_INLINE Vector select(Integers condition, Vector yes, Vector no) {
  return condition ? yes : no;
}
SPECEX_INLINE Vector maximum(Vector a, Vector b) { return a > b ? a : b; }
SPECEX_INLINE Vector absolute(Vector a) {
  const Integers sign = Integers{} + INT64_MAX;
  return reinterpret_cast<Vector>(reinterpret_cast<Integers>(a) & sign);
}

SPECEX_INLINE double sum(Vector a) {
  return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]));
}

// Lane k of the result is the sum of the lanes of row k.
SPECEX_INLINE Vector sums(const Vector (&row)[8]) {
  Vector pair[4];
  for (int k = 0; k < 4; ++k)
    pair[k] =
        __builtin_shufflevector(row[2 * k], row[2 * k + 1], 0, 8, 2, 10, 4, 12, 6, 14) +
        __builtin_shufflevector(row[2 * k], row[2 * k + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  Vector quad[2];
  for (int k = 0; k < 2; ++k)
    quad[k] =
        __builtin_shufflevector(pair[2 * k], pair[2 * k + 1], 0, 1, 8, 9, 4, 5, 12, 13) +
        __builtin_shufflevector(pair[2 * k], pair[2 * k + 1], 2, 3, 10, 11, 6, 7, 14, 15);
  return __builtin_shufflevector(quad[0], quad[1], 0, 1, 2, 3, 8, 9, 10, 11) +
         __builtin_shufflevector(quad[0], quad[1], 4, 5, 6, 7, 12, 13, 14, 15);
}

// Lane k of row j becomes lane j of row k.
SPECEX_INLINE void transpose(Vector (&row)[8]) {
  Vector a[8];
  for (int k = 0; k < 4; ++k) {
    a[2 * k] =
        __builtin_shufflevector(row[2 * k], row[2 * k + 1], 0, 8, 2, 10, 4, 12, 6, 14);
    a[2 * k + 1] =
        __builtin_shufflevector(row[2 * k], row[2 * k + 1], 1, 9, 3, 11, 5, 13, 7, 15);
  }
  Vector b[8];
  for (int k = 0; k < 2; ++k)
    for (int h = 0; h < 2; ++h) {
      const Vector &low = a[4 * k + h];
      const Vector &high = a[4 * k + 2 + h];
      b[4 * k + h] = __builtin_shufflevector(low, high, 0, 1, 8, 9, 4, 5, 12, 13);
      b[4 * k + 2 + h] = __builtin_shufflevector(low, high, 2, 3, 10, 11, 6, 7, 14, 15);
    }
  for (int h = 0; h < 4; ++h) {
    row[h] = __builtin_shufflevector(b[h], b[4 + h], 0, 1, 2, 3, 8, 9, 10, 11);
    row[4 + h] = __builtin_shufflevector(b[h], b[4 + h], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

}  // namespace specex::SPECEX_ISA
