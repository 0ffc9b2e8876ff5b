// SPDX-License-Identifier: BSD-3-Clause
//
// Compiled with optimisation, and with contraction, which makes one instruction of a
// multiplication and an addition (src/CMakeLists.txt).
#include "machine_peak.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstring>
#include <vector>

#include "log.hpp"

namespace specex_cli {
namespace {

constexpr int chains = 12;  // that do not wait for each other: enough to hide latencies
constexpr long rounds = 1'000'000;

// Does `rounds` times `chains` multiply-adds of vectors. A macro, because what a vector
// operation becomes is decided by the target of the function that it is written in.
#define SPECEX_MULTIPLY_ADDS(name, width, attributes)                                \
  attributes double name(double factor, double term) {                               \
    typedef double Vector [[gnu::vector_size((width)*8)]];                           \
    Vector x[chains];                                                                \
    for (int k = 0; k < chains; ++k) x[k] = Vector{} + (1.0 + k);                    \
    const Vector a = Vector{} + factor;                                              \
    const Vector b = Vector{} + term;                                                \
    for (long round = 0; round < rounds; ++round)                                    \
      _Pragma("GCC unroll 12") for (int k = 0; k < chains; ++k) x[k] = x[k] * a + b; \
    Vector sum{};                                                                    \
    for (int k = 0; k < chains; ++k) sum += x[k];                                    \
    return sum[0];                                                                   \
  }                                                                                  \
  static_assert(chains == 12, "as many as are unrolled")

SPECEX_MULTIPLY_ADDS(multiply_adds_baseline, 2, );
#if defined(__x86_64__)
SPECEX_MULTIPLY_ADDS(multiply_adds_avx2, 4, [[gnu::target("avx2,fma")]]);
SPECEX_MULTIPLY_ADDS(multiply_adds_avx512, 8, [[gnu::target("avx512f")]]);
#endif

struct Loop {
  double (*run)(double factor, double term);
  int width;
};

Loop widest_loop() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f")) return {multiply_adds_avx512, 8};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {multiply_adds_avx2, 4};
#endif
  return {multiply_adds_baseline, 2};
}

// The shortest of several times, once the clock frequency has settled.
template <class Work>
double shortest(int repeats, Work &&work) {
  double seconds = 1e300;
  for (int k = 0; k < repeats; ++k) {
    const auto start = std::chrono::steady_clock::now();
    work();
    seconds = std::min(seconds, seconds_since(start));
  }
  return seconds;
}

}  // namespace

MachinePeak measure_peak() {
  const Loop loop = widest_loop();
  volatile double factor = 0.5;
  volatile double result = 0;
  const double flop_seconds =
      shortest(100, [&] { result = result + loop.run(factor, factor); });

  constexpr size_t size = size_t{1} << 27;
  std::vector<char> from(size, 1);
  std::vector<char> to(size, 2);
  const double copy_seconds = shortest(5, [&] {
    std::memcpy(to.data(), from.data(), size);
    result = result + to[static_cast<size_t>(factor * size)];
  });
  return {2.0 * loop.width * chains * rounds / flop_seconds,
          2.0 * static_cast<double>(size) / copy_seconds};
}

}  // namespace specex_cli
