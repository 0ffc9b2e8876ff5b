// SPDX-License-Identifier: BSD-3-Clause
//
// Random numbers that are the same on every machine: splitmix64 and Box-Muller.
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace specex_test {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed) {}

  uint64_t bits() {
    state_ += 0x9e3779b97f4a7c15u;
    uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  double uniform() { return (static_cast<double>(bits() >> 11) + 0.5) * 0x1p-53; }
  double normal() {
    const double radius = std::sqrt(-2.0 * std::log(uniform()));
    return radius * std::cos(2.0 * std::numbers::pi * uniform());
  }
  int below(int n) { return static_cast<int>(bits() % static_cast<uint64_t>(n)); }

 private:
  uint64_t state_;
};

}  // namespace specex_test
