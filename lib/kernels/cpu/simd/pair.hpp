// SPDX-License-Identifier: BSD-3-Clause
//
// Two vectors as one, for instruction sets whose registers hold less than 8 doubles:
// compilers keep the halves in registers, where they would keep a vector longer than any
// register in memory. Pairs nest.
#pragma once

#define SPECEX_INLINE [[gnu::always_inline]] inline

namespace specex::SPECEX_ISA {

template <class Half>
struct Pair {
  Half low;
  Half high;
  SPECEX_INLINE auto operator[](int lane) const {
    constexpr int half = sizeof(Half) / sizeof(low[0]);
    return lane < half ? low[lane] : high[lane - half];
  }
};

template <class>
inline constexpr bool is_pair = false;
template <class Half>
inline constexpr bool is_pair<Pair<Half>> = true;

// What stands for the same number in every lane.
template <class T>
concept Scalar = !requires(const T &a) {
  a[0];
};

#define SPECEX_BINARY(op)                                                    \
  template <class Half>                                                      \
  SPECEX_INLINE auto operator op(const Pair<Half> &a, const Pair<Half> &b) { \
    return Pair<decltype(a.low op b.low)>{a.low op b.low, a.high op b.high}; \
  }
#define SPECEX_ARITHMETIC(op)                                           \
  SPECEX_BINARY(op)                                                     \
  template <class Half, Scalar T>                                       \
  SPECEX_INLINE Pair<Half> operator op(const Pair<Half> &a, T b) {      \
    return {a.low op b, a.high op b};                                   \
  }                                                                     \
  template <class Half, Scalar T>                                       \
  SPECEX_INLINE Pair<Half> operator op(T a, const Pair<Half> &b) {      \
    return {a op b.low, a op b.high};                                   \
  }                                                                     \
  template <class Half, class T>                                        \
  SPECEX_INLINE Pair<Half> &operator op##=(Pair<Half> &a, const T &b) { \
    return a = a op b;                                                  \
  }
SPECEX_ARITHMETIC(+)
SPECEX_ARITHMETIC(-)
SPECEX_ARITHMETIC(*)
SPECEX_ARITHMETIC(/)
SPECEX_ARITHMETIC(&)
SPECEX_ARITHMETIC(<<)
SPECEX_ARITHMETIC(>>)
SPECEX_BINARY(<)
SPECEX_BINARY(>)
SPECEX_BINARY(>=)
SPECEX_BINARY(<=)
SPECEX_BINARY(==)
#undef SPECEX_ARITHMETIC
#undef SPECEX_BINARY

template <class Half>
SPECEX_INLINE Pair<Half> operator-(const Pair<Half> &a) {
  return {-a.low, -a.high};
}
template <class Half>
SPECEX_INLINE Pair<Half> operator~(const Pair<Half> &a) {
  return {~a.low, ~a.high};
}

}  // namespace specex::SPECEX_ISA
