// SPDX-License-Identifier: BSD-3-Clause
//
// exp and erf for the Gauss-Hermite profiles, 8 at a time.
#pragma once

#include "kernels/cpu/simd/erf_table.hpp"
#include "kernels/cpu/simd/vector.hpp"

namespace specex::SPECEX_ISA {

// exp(t) for t <= 0; 0 below -700. Relative error below 3e-16: t = n ln2 + r with
// |r| <= ln2 / 2, the Taylor series of exp(r) to degree 13, and 2^n by its exponent bits.
SPECEX_INLINE Vector exp_negative(Vector t) {
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
  const Vector clamped = maximum(t, broadcast(-700.0));
  const Vector shifted = clamped * 1.4426950408889634 + round_shift;
  const Vector n = shifted - round_shift;
  const Vector r =
      (clamped - n * 6.93147180369123816490e-01) - n * 1.90821492927058770002e-10;
  Vector p = broadcast(inverse_factorial[13]);
  for (int k = 12; k >= 0; --k) p = p * r + inverse_factorial[k];
  // The integer n sits in the low bits of `shifted`.
  const Integers exponent = bits_as<Integers>(shifted) << 52;
  const Vector result = bits_as<Vector>(bits_as<Integers>(p) + exponent);
  return select(t < broadcast(-700.0), Vector{}, result);
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
