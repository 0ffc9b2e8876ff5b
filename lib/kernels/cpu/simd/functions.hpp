// SPDX-License-Identifier: BSD-3-Clause
//
// exp and erf for the Gauss-Hermite profiles, powers for the Lorentzian tail, 8 at a
// time.
#pragma once

#include "kernels/cpu/simd/erf_table.hpp"
#include "kernels/cpu/simd/vector.hpp"

namespace specex::SPECEX_ISA {

constexpr double ln2_high = 6.93147180369123816490e-01;  // times n < 2^20 it is exact
constexpr double ln2_low = 1.90821492927058770002e-10;

// exp(t) for |t| <= 700. Relative error below 3e-16: t = n ln2 + r with |r| <= ln2 / 2,
// the Taylor series of exp(r) to degree 13, and 2^n by its exponent bits.
SPECEX_INLINE Vector exp_moderate(Vector t) {
  constexpr double inverse_factorial[14] = {1.0,
                                            1.0,
                                            1.0 / 2,
                                            1.0 / 6,
                                            1.0 / 24,
                                            1.0 / 120,
                                            1.0 / 720,
                                            1.0 / 5040,
                                            1.0 / 40320,
                                            1.0 / 362880,
                                            1.0 / 3628800,
                                            1.0 / 39916800,
                                            1.0 / 479001600,
                                            1.0 / 6227020800.0};
  constexpr double round_shift = 6755399441055744.0;  // 1.5 * 2^52: adding it rounds
  const Vector shifted = t * 1.4426950408889634 + round_shift;
  const Vector n = shifted - round_shift;
  const Vector r = (t - n * ln2_high) - n * ln2_low;
  Vector p = broadcast(inverse_factorial[13]);
  for (int k = 12; k >= 0; --k) p = p * r + inverse_factorial[k];
  // The integer n sits in the low bits of `shifted`.
  const Integers exponent = bits_as<Integers>(shifted) << 52;
  return bits_as<Vector>(bits_as<Integers>(p) + exponent);
}

// exp(t) for t <= 0; 0 below -700.
SPECEX_INLINE Vector exp_negative(Vector t) {
  const Vector result = exp_moderate(maximum(t, broadcast(-700.0)));
  return select(t < broadcast(-700.0), Vector{}, result);
}

// log(x) for x >= 0, infinity or NaN. Relative error below 1e-15: x = 2^n m with
// sqrt(1/2) <= m < sqrt(2), and log(m) = 2 atanh(s), s = (m - 1) / (m + 1), by its Taylor
// series to degree 21.
SPECEX_INLINE Vector log_positive(Vector x) {
  constexpr int64_t bits_of_1 = 0x3ff0000000000000;
  constexpr int64_t bits_of_root_half = 0x3fe6a09e667f3bcd;
  constexpr int64_t bits_of_2_52 = 0x4330000000000000;
  constexpr int64_t mantissa = 0x000fffffffffffff;
  const Vector infinity = broadcast(__builtin_inf());
  const Integers subnormal = x < broadcast(0x1p-1022);
  const Vector number = minimum(x, infinity);  // NaN's bits might overflow below
  const Integers bits = bits_as<Integers>(select(subnormal, number * 0x1p54, number)) +
                        (bits_of_1 - bits_of_root_half);
  const Vector m = bits_as<Vector>((bits & mantissa) + bits_of_root_half);
  const Vector biased = bits_as<Vector>((bits >> 52) + bits_of_2_52) - 0x1p52;
  const Vector n =
      biased - select(subnormal, broadcast(1023.0 + 54.0), broadcast(1023.0));
  const Vector s = (m - 1.0) / (m + 1.0);
  const Vector s2 = s * s;
  Vector p = broadcast(1.0 / 21);
  for (int k = 19; k >= 1; k -= 2) p = p * s2 + 1.0 / k;
  const Vector result = n * ln2_high + (n * ln2_low + s * 2.0 * p);
  return select(x == Vector{}, -infinity, select(x < infinity, result, x));
}

// base^exponent for base >= 0, with infinities and NaN where std::pow has them. Relative
// error below 1e-15 (1 + |log of the result|).
SPECEX_INLINE Vector power(Vector base, Vector exponent) {
  const Vector one = broadcast(1.0);
  const Vector t = exponent * log_positive(base);
  // The square takes all of a double's range, and overflows as it should.
  const Vector root =
      exp_moderate(minimum(maximum(t * 0.5, broadcast(-400.0)), broadcast(400.0)));
  const Integers is_number = t <= broadcast(__builtin_inf());
  const Vector result = select(is_number, root * root, t);
  return select(base == one, one, select(exponent == Vector{}, one, result));
}

// erf(t / sqrt 2), given gaussian = exp(-t^2 / 2). Absolute error below 3e-16.
SPECEX_INLINE Vector erf_scaled(Vector t, Vector gaussian) {
  const Vector positive = absolute(t) * 0.70710678118654752440;
  const Vector x = minimum(positive, broadcast(erf_max));
  // One division serves both (x - K) / (x + K) and 1 / (1 + 2 x).
  const Vector a = x + erf_shift;
  const Vector b = x * 2.0 + 1.0;
  const Vector inverse = 1.0 / (a * b);
  const Vector u = (x - erf_shift) * b * inverse;
  const Vector u2 = u * u;
  Vector even = broadcast(erf_powers[erf_degree]);
  Vector odd = broadcast(erf_powers[erf_degree - 1]);
  for (int k = erf_degree - 2; k >= 0; k -= 2) {
    even = even * u2 + erf_powers[k];
    if (k > 0) odd = odd * u2 + erf_powers[k - 1];
  }
  const Vector complement = (even + odd * u) * gaussian * a * inverse;
  const Vector result = 1.0 - complement;
  return select(t < Vector{}, -result, result);
}

}  // namespace specex::SPECEX_ISA
