// SPDX-License-Identifier: BSD-3-Clause
//
// Eight doubles at a time, in the vector types of GCC and Clang: they read like scalars.
// Each stage is one source, compiled once per instruction set into a namespace of its own
// (SPECEX_ISA); such a source uses nothing of the standard library, whose inline
// functions the linker would share between instruction sets.
#pragma once

#if defined(__AVX__)
#include <immintrin.h>
#endif
#include <stddef.h>
#include <stdint.h>

#include "kernels/cpu/simd/pair.hpp"

namespace specex::SPECEX_ISA {

constexpr int lanes = 8;

#if defined(__AVX512F__)
constexpr int register_bytes = 64;
#elif defined(__AVX__)
constexpr int register_bytes = 32;
#else
constexpr int register_bytes = 16;
#endif

// `Count` lanes of T: one register, or a pair of halves.
template <class T, int Count, bool Fits = (Count * sizeof(T) <= register_bytes)>
struct Lanes {
  typedef T type __attribute__((vector_size(Count * sizeof(T))));
};
template <class T, int Count>
struct Lanes<T, Count, false> {
  using type = Pair<typename Lanes<T, Count / 2>::type>;
};

// As much of V as one register holds. Sums over lanes may be added up in it, and loops
// that need more registers than there are take one of these after the other.
template <class V>
struct OneRegister {
  using type = V;
};
template <class Half>
struct OneRegister<Pair<Half>> : OneRegister<Half> {};
template <class V>
using Register = typename OneRegister<V>::type;

using Vector = Lanes<double, lanes>::type;
using Floats = Lanes<float, lanes>::type;
using Integers = decltype(Vector{} < Vector{});  // 64 bits: -1 where it is so, or 0

template <class V>
constexpr int lane_count = sizeof(V) / sizeof(V{}[0]);

template <class V>
SPECEX_INLINE auto low_half(const V &a) {
  if constexpr (is_pair<V>)
    return a.low;
  else if constexpr (lane_count<V> == 16)
    return __builtin_shufflevector(a, a, 0, 1, 2, 3, 4, 5, 6, 7);
  else if constexpr (lane_count<V> == 8)
    return __builtin_shufflevector(a, a, 0, 1, 2, 3);
  else
    return __builtin_shufflevector(a, a, 0, 1);
}

template <class V>
SPECEX_INLINE auto high_half(const V &a) {
  if constexpr (is_pair<V>)
    return a.high;
  else if constexpr (lane_count<V> == 16)
    return __builtin_shufflevector(a, a, 8, 9, 10, 11, 12, 13, 14, 15);
  else if constexpr (lane_count<V> == 8)
    return __builtin_shufflevector(a, a, 4, 5, 6, 7);
  else
    return __builtin_shufflevector(a, a, 2, 3);
}

template <class V, class Half>
SPECEX_INLINE V join(const Half &low, const Half &high) {
  if constexpr (is_pair<V>)
    return {low, high};
  else if constexpr (lane_count<V> == 8)
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
  else
    return __builtin_shufflevector(low, high, 0, 1, 2, 3);
}

// Memory may lie anywhere.
template <class V>
struct [[gnu::packed, gnu::may_alias]] Unaligned {
  V value;
};
template <class V, class T>
SPECEX_INLINE V load_as(const T *from) {
  if constexpr (is_pair<V>) {
    using Half = decltype(V::low);
    return {load_as<Half>(from), load_as<Half>(from + lane_count<Half>)};
  } else {
    return reinterpret_cast<const Unaligned<V> *>(from)->value;
  }
}
template <class V, class T>
SPECEX_INLINE void store_as(T *to, const V &value) {
  if constexpr (is_pair<V>) {
    store_as(to, value.low);
    store_as(to + lane_count<V> / 2, value.high);
  } else {
    reinterpret_cast<Unaligned<V> *>(to)->value = value;
  }
}
SPECEX_INLINE Vector load(const double *from) { return load_as<Vector>(from); }
SPECEX_INLINE Floats load(const float *from) { return load_as<Floats>(from); }
SPECEX_INLINE Integers load(const int64_t *from) { return load_as<Integers>(from); }
SPECEX_INLINE void store(double *to, const Vector &value) { store_as(to, value); }
SPECEX_INLINE void store(float *to, const Floats &value) { store_as(to, value); }

template <class To, class From>
SPECEX_INLINE To convert_register(const From &value) {
  return __builtin_convertvector(value, To);
}
#if defined(__AVX__)  // of which GCC 12 makes four instructions
template <>
SPECEX_INLINE Register<Vector> convert_register(
    const Lanes<float, register_bytes / 8>::type &value) {
#if defined(__AVX512F__)
  return _mm512_maskz_cvtps_pd(0xff, value);
#else
  return _mm256_cvtps_pd(value);
#endif
}
#endif
template <class To, class From>
SPECEX_INLINE To convert(const From &value) {
  if constexpr (is_pair<To> || is_pair<From>) {
    using Half = decltype(low_half(To{}));
    return join<To>(convert<Half>(low_half(value)), convert<Half>(high_half(value)));
  } else {
    return convert_register<To>(value);
  }
}

// Doubles from memory, and to memory as floats. Pairs go by halves, which then need not
// be parted or joined.
template <class V = Vector>
SPECEX_INLINE V load_doubles(const float *from) {
  if constexpr (is_pair<V>) {
    using Half = decltype(V::low);
    return {load_doubles<Half>(from), load_doubles<Half>(from + lane_count<Half>)};
  } else {
    return convert<V>(load_as<typename Lanes<float, lane_count<V>>::type>(from));
  }
}
SPECEX_INLINE Vector load_doubles(const double *from) { return load(from); }
template <class V>
SPECEX_INLINE void store_floats(float *to, const V &value) {
  if constexpr (is_pair<V>) {
    store_floats(to, value.low);
    store_floats(to + lane_count<V> / 2, value.high);
  } else {
    store_as(to, convert<typename Lanes<float, lane_count<V>>::type>(value));
  }
}

// The bits of one as the other.
template <class To, class From>
SPECEX_INLINE To bits_as(const From &value) {
  if constexpr (is_pair<To>) {
    using Half = decltype(To::low);
    return {bits_as<Half>(value.low), bits_as<Half>(value.high)};
  } else {
    return reinterpret_cast<To>(value);
  }
}

// Adds all of a to what is summed over lanes in the end.
template <class V>
SPECEX_INLINE void add_lanes(Register<V> &total, const V &a) {
  if constexpr (is_pair<V>) {
    add_lanes(total, a.low);
    add_lanes(total, a.high);
  } else {
    total += a;
  }
}

SPECEX_INLINE Vector broadcast(double value) { return Vector{} + value; }

template <class Condition, class V>
SPECEX_INLINE V select(const Condition &condition, const V &yes, const V &no) {
  if constexpr (is_pair<V>)
    return {select(condition.low, yes.low, no.low),
            select(condition.high, yes.high, no.high)};
  else
    return condition ? yes : no;
}
SPECEX_INLINE Vector maximum(const Vector &a, const Vector &b) {
  // Of the select, compilers make two instructions.
#if defined(__AVX512F__)
  return _mm512_maskz_max_pd(0xff, a, b);
#elif defined(__AVX__)
  return {_mm256_max_pd(a.low, b.low), _mm256_max_pd(a.high, b.high)};
#else
  return select(a > b, a, b);
#endif
}
SPECEX_INLINE Vector minimum(const Vector &a, const Vector &b) {
  return select(a < b, a, b);
}
SPECEX_INLINE Vector absolute(const Vector &a) {
  return bits_as<Vector>(bits_as<Integers>(a) & (Integers{} + INT64_MAX));
}

// Whether it is so in every lane.
template <class V>
SPECEX_INLINE bool all(const V &condition) {
  if constexpr (lane_count<V> == 2)
    return (condition[0] & condition[1]) != 0;
  else
    return all(low_half(condition) & high_half(condition));
}

// The lanes in reverse order.
template <class V>
SPECEX_INLINE V reversed(const V &a) {
  if constexpr (is_pair<V>)
    return {reversed(a.high), reversed(a.low)};
  else if constexpr (lane_count<V> == 8)
    return __builtin_shufflevector(a, a, 7, 6, 5, 4, 3, 2, 1, 0);
  else if constexpr (lane_count<V> == 4)
    return __builtin_shufflevector(a, a, 3, 2, 1, 0);
  else
    return __builtin_shufflevector(a, a, 1, 0);
}

template <class V>
SPECEX_INLINE double sum(const V &a) {
  if constexpr (lane_count<V> == 2)
    return a[0] + a[1];
  else
    return sum(low_half(a) + high_half(a));
}

// Lane k of the result is the sum of the lanes of row k.
template <class V, int Count>
SPECEX_INLINE auto sums(const V (&row)[Count]) {
  if constexpr (Count > lane_count<V>) {
    V first[Count / 2];
    V second[Count / 2];
    for (int k = 0; k < Count / 2; ++k) {
      first[k] = row[k];
      second[k] = row[Count / 2 + k];
    }
    return Pair<decltype(sums(first))>{sums(first), sums(second)};
  } else if constexpr (is_pair<V>) {
    decltype(V::low) half[Count];
    for (int k = 0; k < Count; ++k) half[k] = row[k].low + row[k].high;
    return sums(half);
  } else if constexpr (Count == 2) {
    return __builtin_shufflevector(row[0], row[1], 0, 2) +
           __builtin_shufflevector(row[0], row[1], 1, 3);
  } else if constexpr (Count == 4) {
    V pair[2];
    for (int k = 0; k < 2; ++k)
      pair[k] = __builtin_shufflevector(row[2 * k], row[2 * k + 1], 0, 4, 2, 6) +
                __builtin_shufflevector(row[2 * k], row[2 * k + 1], 1, 5, 3, 7);
    return __builtin_shufflevector(pair[0], pair[1], 0, 1, 4, 5) +
           __builtin_shufflevector(pair[0], pair[1], 2, 3, 6, 7);
  } else {
    V pair[4];
    for (int k = 0; k < 4; ++k)
      pair[k] =
          __builtin_shufflevector(row[2 * k], row[2 * k + 1], 0, 8, 2, 10, 4, 12, 6, 14) +
          __builtin_shufflevector(row[2 * k], row[2 * k + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    V quad[2];
    for (int k = 0; k < 2; ++k)
      quad[k] = __builtin_shufflevector(pair[2 * k], pair[2 * k + 1], 0, 1, 8, 9, 4, 5,
                                        12, 13) +
                __builtin_shufflevector(pair[2 * k], pair[2 * k + 1], 2, 3, 10, 11, 6, 7,
                                        14, 15);
    return __builtin_shufflevector(quad[0], quad[1], 0, 1, 2, 3, 8, 9, 10, 11) +
           __builtin_shufflevector(quad[0], quad[1], 4, 5, 6, 7, 12, 13, 14, 15);
  }
}

// Lane k of row j becomes lane j of row k.
template <class V, int Count>
SPECEX_INLINE void transpose(V (&row)[Count]) {
  constexpr int half = Count / 2;
  if constexpr (is_pair<V>) {
    using Half = decltype(V::low);
    Half quarter[2][2][half];  // [rows][columns]
    for (int k = 0; k < half; ++k)
      for (int h = 0; h < 2; ++h) {
        quarter[h][0][k] = row[h * half + k].low;
        quarter[h][1][k] = row[h * half + k].high;
      }
    for (int h = 0; h < 2; ++h)
      for (int column = 0; column < 2; ++column) transpose(quarter[h][column]);
    for (int k = 0; k < half; ++k)
      for (int h = 0; h < 2; ++h)
        row[h * half + k] = {quarter[0][h][k], quarter[1][h][k]};
  } else if constexpr (Count == 2) {
    const V first = __builtin_shufflevector(row[0], row[1], 0, 2);
    row[1] = __builtin_shufflevector(row[0], row[1], 1, 3);
    row[0] = first;
  } else if constexpr (Count == 4) {
    V a[4];
    for (int k = 0; k < 2; ++k) {
      a[2 * k] = __builtin_shufflevector(row[2 * k], row[2 * k + 1], 0, 4, 2, 6);
      a[2 * k + 1] = __builtin_shufflevector(row[2 * k], row[2 * k + 1], 1, 5, 3, 7);
    }
    for (int h = 0; h < 2; ++h) {
      row[h] = __builtin_shufflevector(a[h], a[2 + h], 0, 1, 4, 5);
      row[2 + h] = __builtin_shufflevector(a[h], a[2 + h], 2, 3, 6, 7);
    }
  } else {
    V a[8];
    for (int k = 0; k < 4; ++k) {
      a[2 * k] =
          __builtin_shufflevector(row[2 * k], row[2 * k + 1], 0, 8, 2, 10, 4, 12, 6, 14);
      a[2 * k + 1] =
          __builtin_shufflevector(row[2 * k], row[2 * k + 1], 1, 9, 3, 11, 5, 13, 7, 15);
    }
    V b[8];
    for (int k = 0; k < 2; ++k)
      for (int h = 0; h < 2; ++h) {
        const V &low = a[4 * k + h];
        const V &high = a[4 * k + 2 + h];
        b[4 * k + h] = __builtin_shufflevector(low, high, 0, 1, 8, 9, 4, 5, 12, 13);
        b[4 * k + 2 + h] = __builtin_shufflevector(low, high, 2, 3, 10, 11, 6, 7, 14, 15);
      }
    for (int h = 0; h < 4; ++h) {
      row[h] = __builtin_shufflevector(b[h], b[4 + h], 0, 1, 2, 3, 8, 9, 10, 11);
      row[4 + h] = __builtin_shufflevector(b[h], b[4 + h], 4, 5, 6, 7, 12, 13, 14, 15);
    }
  }
}

}  // namespace specex::SPECEX_ISA
