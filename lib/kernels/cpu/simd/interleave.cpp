// SPDX-License-Identifier: BSD-3-Clause
//
// Problems into lanes and back.
#include "kernels/cpu/simd/stages.hpp"

namespace specex::SPECEX_ISA {
namespace {

template <class T>
void into_lanes(const T *const *from, int count, T *to) {
  for (int first = 0; first < count; first += lanes) {
    typename Lanes<T, lanes>::type block[8];
    for (int lane = 0; lane < lanes; ++lane) block[lane] = load(from[lane] + first);
    transpose(block);
    for (int k = 0; k < lanes; ++k) store(to + (first + k) * lanes, block[k]);
  }
}

}  // namespace

void interleave(const double *const *from, int count, double *to) {
  into_lanes(from, count, to);
}

void interleave_floats(const float *const *from, int count, float *to) {
  into_lanes(from, count, to);
}

void deinterleave(const double *from, int count, double scale, double *const *to) {
  for (int first = 0; first < count; first += lanes) {
    Vector block[8];
    for (int k = 0; k < lanes; ++k) block[k] = load(from + (first + k) * lanes) * scale;
    transpose(block);
    const int left = count - first;
    for (int lane = 0; lane < lanes; ++lane) {
      if (left >= lanes)
        store(to[lane] + first, block[lane]);
      else
        for (int k = 0; k < left; ++k) to[lane][first + k] = block[lane][k];
    }
  }
}

}  // namespace specex::SPECEX_ISA
