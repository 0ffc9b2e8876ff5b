// SPDX-License-Identifier: BSD-3-Clause
//
// Random numbers whose sequence is the same with every compiler and C++ library, unlike
// those of std::normal_distribution and its kin, so that a seed names one file.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

namespace specex_cli {

// xoshiro256** by Blackman and Vigna (2021, ACM Trans. Math. Softw. 47, 36), seeded with
// splitmix64 as they advise.
class Random {
 public:
  // Different streams of one seed are independent: one does not shift another.
  explicit Random(uint64_t seed, uint64_t stream = 0) {
    uint64_t state = seed ^ mix(stream + 1);
    for (uint64_t &word : state_) word = mix(state += 0x9e3779b97f4a7c15);
  }

  uint64_t bits() {
    const uint64_t result = rotate(state_[1] * 5, 7) * 9;
    const uint64_t shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  // In (0, 1): neither end is ever returned, so that log(uniform()) is finite.
  double uniform() { return (static_cast<double>(bits() >> 11) + 0.5) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }

  // Mean 0, variance 1 (Box and Muller 1958).
  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const double radius = std::sqrt(-2 * std::log(uniform()));
    const double angle = 2 * M_PI * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
  }

  // A count with the given mean, exactly Poisson for any mean >= 0.
  double poisson(double mean) {
    if (!(mean > 0)) return 0;
    return mean < 10 ? poisson_by_product(mean) : poisson_by_rejection(mean);
  }

 private:
  static uint64_t rotate(uint64_t x, int k) { return (x << k) | (x >> (64 - k)); }

  static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
  }

  double poisson_by_product(double mean) {
    const double limit = std::exp(-mean);
    double count = 0;
    for (double product = uniform(); product > limit; product *= uniform()) ++count;
    return count;
  }

  // PTRS of Hoermann (1993, Insurance: Mathematics and Economics 12, 39).
  double poisson_by_rejection(double mean) {
    const double b = 0.931 + 2.53 * std::sqrt(mean);
    const double a = -0.059 + 0.02483 * b;
    const double inverse_alpha = 1.1239 + 1.1328 / (b - 3.4);
    const double accept_below = 0.9277 - 3.6224 / (b - 2);
    for (;;) {
      const double u = uniform() - 0.5;
      const double v = uniform();
      const double us = 0.5 - std::abs(u);
      const double count = std::floor((2 * a / us + b) * u + mean + 0.43);
      if (us >= 0.07 && v <= accept_below) return count;
      if (count < 0 || (us < 0.013 && v > us)) continue;
      if (std::log(v * inverse_alpha / (a / (us * us) + b)) <=
          count * std::log(mean) - mean - std::lgamma(count + 1))
        return count;
    }
  }

  std::array<uint64_t, 4> state_{};
  double spare_ = 0;
  bool has_spare_ = false;
};

}  // namespace specex_cli
