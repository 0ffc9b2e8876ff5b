// SPDX-License-Identifier: BSD-3-Clause
#include "detector.hpp"

#include <algorithm>
#include <cmath>

#include "random.hpp"

namespace specex_cli {

namespace {

constexpr int32_t mask_bad = 1;      // bit 0 of desispec's ccdmask
constexpr int32_t mask_cosmic = 16;  // bit 4

// Each effect draws from a stream of its own, so that adding one leaves the others alone.
enum Stream : uint64_t { noise_stream = 1u << 30, cosmic_stream, badcolumn_stream };

void add_noise(const Detector &detector, std::span<const double> expected, uint64_t seed,
               Exposure &exposure) {
  Random random(seed, noise_stream);
  const double read_variance = detector.readnoise * detector.readnoise;
  for (size_t i = 0; i < expected.size(); ++i) {
    double value = expected[i];
    if (detector.noise) {
      value = random.poisson(expected[i]);
      value += detector.readnoise * random.normal();
    }
    const double light = detector.ivar_from_data ? std::max(value, 0.0) : expected[i];
    const double variance = light + read_variance;
    exposure.pixels[i] = static_cast<float>(value);
    exposure.ivar[i] = static_cast<float>(variance > 0 ? 1 / variance : 0);
  }
}

// Straight tracks: a particle frees charge evenly along its way, which spreads a little
// before it is collected.
void add_cosmics(const Detector &detector, uint64_t seed, Exposure &exposure) {
  constexpr double step = 0.2;    // pixels
  constexpr double spread = 0.6;  // pixels rms
  Random random(seed, cosmic_stream);
  for (int32_t k = 0; k < detector.ncosmic; ++k) {
    const double x0 = random.uniform(0, static_cast<double>(detector.nx));
    const double y0 = random.uniform(0, static_cast<double>(detector.ny));
    const double angle = random.uniform(0, 2 * M_PI);
    const double length = std::exp(random.uniform(std::log(2.0), std::log(60.0)));
    const double charge = std::exp(random.uniform(std::log(80.0), std::log(2000.0)));
    for (double path = 0; path < length; path += step) {
      const double x = x0 + path * std::cos(angle) + spread * random.normal();
      const double y = y0 + path * std::sin(angle) + spread * random.normal();
      const auto column = static_cast<int64_t>(std::floor(x));
      const auto row = static_cast<int64_t>(std::floor(y));
      if (column < 0 || column >= detector.nx || row < 0 || row >= detector.ny) continue;
      const auto i = static_cast<size_t>(row * detector.nx + column);
      exposure.pixels[i] += static_cast<float>(charge * step);
      exposure.mask[i] |= mask_cosmic;
    }
  }
}

// Columns that glow: what they read has nothing to do with the light.
void add_badcolumns(const Detector &detector, uint64_t seed, Exposure &exposure) {
  Random random(seed, badcolumn_stream);
  for (int32_t k = 0; k < detector.nbadcolumn; ++k) {
    const auto column =
        static_cast<int64_t>(random.uniform() * static_cast<double>(detector.nx));
    for (int64_t row = 0; row < detector.ny; ++row) {
      const auto i = static_cast<size_t>(row * detector.nx + column);
      exposure.pixels[i] = static_cast<float>(random.uniform(0, 500));
      exposure.mask[i] |= mask_bad;
    }
  }
}

}  // namespace

Exposure expose(const Detector &detector, std::span<const double> expected,
                uint64_t seed) {
  Exposure exposure;
  exposure.pixels.resize(expected.size());
  exposure.ivar.resize(expected.size());
  exposure.mask.resize(expected.size());
  add_noise(detector, expected, seed, exposure);
  add_cosmics(detector, seed, exposure);
  add_badcolumns(detector, seed, exposure);
  return exposure;
}

}  // namespace specex_cli
