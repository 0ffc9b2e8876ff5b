// SPDX-License-Identifier: BSD-3-Clause
//
// Rows of an image as the solution sees them: clean() of kernels/shared/image.hpp, 8
// pixels at a time.
#include "kernels/cpu/simd/stages.hpp"

namespace specex::SPECEX_ISA {
namespace {

template <class T>
double clean_row(const T *pixels, const T *ivar, ptrdiff_t count, double *values,
                 double *weights, float *float_weights) {
  const Vector infinity = broadcast(__builtin_inf());
  Vector largest{};
  const auto clean = [&](const T *from, const T *of, double *value, double *weight,
                         float *float_weight) {
    const Vector v = load_doubles(from);
    const Vector u = load_doubles(of);
    const Integers usable = (absolute(v) < infinity) & (u > Vector{}) & (u < infinity);
    const Vector w = select(usable, u, Vector{});
    store(value, select(usable, v, Vector{}));
    store(weight, w);
    store_floats(float_weight, w);
    largest = maximum(largest, w);
  };
  ptrdiff_t k = 0;
  for (; k + lanes <= count; k += lanes)
    clean(pixels + k, ivar + k, values + k, weights + k, float_weights + k);
  if (k < count) {
    const auto left_over = static_cast<size_t>(count - k);
    T last[2][lanes] = {};
    double value[lanes];
    double weight[lanes];
    float float_weight[lanes];
    __builtin_memcpy(last[0], pixels + k, left_over * sizeof(T));
    __builtin_memcpy(last[1], ivar + k, left_over * sizeof(T));
    clean(last[0], last[1], value, weight, float_weight);
    __builtin_memcpy(values + k, value, left_over * sizeof(double));
    __builtin_memcpy(weights + k, weight, left_over * sizeof(double));
    __builtin_memcpy(float_weights + k, float_weight, left_over * sizeof(float));
  }
  double result = 0.0;
  for (int lane = 0; lane < lanes; ++lane)
    result = largest[lane] > result ? largest[lane] : result;
  return result;
}

}  // namespace

double clean_floats(const float *pixels, const float *ivar, ptrdiff_t count,
                    double *values, double *weights, float *float_weights) {
  return clean_row(pixels, ivar, count, values, weights, float_weights);
}

double clean_doubles(const double *pixels, const double *ivar, ptrdiff_t count,
                     double *values, double *weights, float *float_weights) {
  return clean_row(pixels, ivar, count, values, weights, float_weights);
}

}  // namespace specex::SPECEX_ISA
