// SPDX-License-Identifier: BSD-3-Clause
#include "spectra_model.hpp"

#include <array>
#include <cmath>
#include <span>

#include "random.hpp"

namespace specex_cli {

namespace {

struct Line {
  double wave;      // Angstrom
  double strength;  // electrons; of absorption lines: the depth, 0 to 1
};

// The brightest lines of the night sky: mercury of street lamps, atomic oxygen and
// sodium, and bands of the hydroxyl radical. Wavelengths in air, strengths for a dark
// site.
constexpr std::array sky_lines{
    Line{3650.2, 30},   Line{4046.6, 60},   Line{4358.3, 110},  Line{5200.3, 40},
    Line{5460.7, 150},  Line{5577.3, 6000}, Line{5889.9, 350},  Line{5895.9, 220},
    Line{5915.3, 60},   Line{5932.9, 90},   Line{5953.4, 70},   Line{6235.5, 60},
    Line{6257.9, 120},  Line{6265.5, 70},   Line{6287.4, 150},  Line{6300.3, 2600},
    Line{6306.9, 80},   Line{6321.2, 60},   Line{6329.7, 60},   Line{6363.8, 900},
    Line{6498.7, 250},  Line{6533.0, 300},  Line{6544.0, 150},  Line{6553.6, 240},
    Line{6577.2, 160},  Line{6596.6, 90},   Line{6604.1, 80},   Line{6829.5, 110},
    Line{6834.0, 150},  Line{6841.9, 110},  Line{6863.9, 500},  Line{6871.0, 180},
    Line{6889.3, 140},  Line{6900.8, 170},  Line{6912.6, 160},  Line{6923.2, 420},
    Line{6939.5, 260},  Line{6949.0, 120},  Line{6978.3, 140},  Line{7003.9, 90},
    Line{7240.6, 380},  Line{7244.9, 320},  Line{7276.4, 800},  Line{7284.4, 500},
    Line{7303.7, 350},  Line{7316.3, 1100}, Line{7329.1, 350},  Line{7340.9, 1300},
    Line{7358.7, 320},  Line{7369.3, 900},  Line{7392.2, 280},  Line{7401.9, 600},
    Line{7438.8, 250},  Line{7524.1, 220},  Line{7571.7, 300},  Line{7712.1, 450},
    Line{7750.6, 2200}, Line{7780.5, 500},  Line{7794.1, 2400}, Line{7808.5, 600},
    Line{7821.5, 1900}, Line{7841.3, 900},  Line{7853.3, 700},  Line{7870.7, 350},
    Line{7913.7, 3000}, Line{7921.1, 1400}, Line{7949.2, 900},  Line{7964.7, 3200},
    Line{7993.3, 2600}, Line{8014.1, 600},  Line{8025.7, 1400}, Line{8052.0, 500},
    Line{8062.3, 700},  Line{8310.7, 800},  Line{8344.6, 4200}, Line{8352.8, 1400},
    Line{8382.4, 1300}, Line{8399.2, 5200}, Line{8415.2, 1200}, Line{8430.2, 4600},
    Line{8452.3, 1200}, Line{8465.4, 2300}, Line{8493.4, 1100}, Line{8504.6, 900},
    Line{8761.4, 1300}, Line{8767.9, 1500}, Line{8778.3, 2600}, Line{8791.2, 1400},
    Line{8827.1, 5200}, Line{8836.0, 1600}, Line{8850.0, 1600}, Line{8867.6, 1900},
    Line{8885.9, 5600}, Line{8903.1, 1900}, Line{8919.6, 5000}, Line{8943.4, 1900},
    Line{8958.1, 2600}, Line{8988.4, 1700}, Line{9001.3, 1300}, Line{9038.1, 900},
    Line{9049.2, 800},  Line{9337.9, 1500}, Line{9376.0, 3600}, Line{9419.7, 2200},
    Line{9439.7, 3900}, Line{9458.5, 1900}, Line{9476.8, 2300}, Line{9502.8, 2900},
    Line{9519.4, 2100}, Line{9552.5, 1500}, Line{9567.6, 2200}, Line{9620.6, 1500},
    Line{9655.6, 1100}, Line{9700.1, 1300}, Line{9719.8, 1100}, Line{9772.7, 1200},
    Line{9791.4, 1500},
};
constexpr double sky_line_sigma = 0.1;  // Angstrom: far below a CCD's resolution

constexpr std::array stellar_lines{
    Line{3933.7, 0.5},  Line{3968.5, 0.5}, Line{4101.7, 0.3},  Line{4340.5, 0.35},
    Line{4861.3, 0.4},  Line{5167.3, 0.2}, Line{5172.7, 0.25}, Line{5183.6, 0.25},
    Line{5270.0, 0.12}, Line{5890.0, 0.2}, Line{5895.9, 0.2},  Line{6562.8, 0.45},
    Line{8498.0, 0.25}, Line{8542.1, 0.4}, Line{8662.1, 0.35},
};

// Strengths relative to the strongest.
constexpr std::array galactic_lines{
    Line{3726.0, 0.45}, Line{3728.8, 0.6}, Line{4340.5, 0.15}, Line{4861.3, 0.33},
    Line{4958.9, 0.25}, Line{5006.8, 0.7}, Line{6548.1, 0.1},  Line{6562.8, 1.0},
    Line{6583.4, 0.3},  Line{6716.4, 0.2}, Line{6730.8, 0.15},
};
constexpr std::array quasar_lines{
    Line{1215.7, 1.0},  Line{1549.1, 0.5},  Line{1908.7, 0.3},
    Line{2798.7, 0.35}, Line{4861.3, 0.25}, Line{6562.8, 0.8},
};

// One fibre's spectrum on the bins of a grid.
class Spectrum {
 public:
  Spectrum(const specex_grid &grid, double *flux)
      : grid_(grid), flux_(flux, static_cast<size_t>(grid.nwave)) {}

  // density(wave in Angstrom): electrons per Angstrom, smooth over a bin.
  template <class Density>
  void add_continuum(Density &&density) {
    for (size_t bin = 0; bin < flux_.size(); ++bin) flux_[bin] += density(center(bin));
  }

  // A Gaussian of `strength` electrons; each bin gets its integral over the bin.
  void add_line(double wave, double strength, double sigma) {
    constexpr double reach = 7;  // sigmas
    const double first =
        std::ceil((wave - reach * sigma - grid_.wavemin) / grid_.wavestep - 0.5);
    for (size_t bin = first > 0 ? static_cast<size_t>(first) : 0; bin < flux_.size();
         ++bin) {
      const double low = (center(bin) - grid_.wavestep / 2 - wave) / sigma;
      if (low > reach) break;
      const double high = low + grid_.wavestep / sigma;
      flux_[bin] += strength / grid_.wavestep / 2 *
                    (std::erf(high * M_SQRT1_2) - std::erf(low * M_SQRT1_2));
    }
  }

 private:
  double center(size_t bin) const {
    return grid_.wavemin + static_cast<double>(bin) * grid_.wavestep;
  }

  specex_grid grid_;
  std::span<double> flux_;
};

double log_uniform(Random &random, double low, double high) {
  return std::exp(random.uniform(std::log(low), std::log(high)));
}

void add_sky(Spectrum &spectrum, double throughput) {
  spectrum.add_continuum(
      [&](double wave) { return throughput * (30 + 25 * (wave - 3600) / 6200); });
  for (const Line &line : sky_lines)
    spectrum.add_line(line.wave, throughput * line.strength, sky_line_sigma);
}

void add_star(Spectrum &spectrum, Random &random, double level) {
  const double slope = random.uniform(-1.5, 1.5);
  const double sigma = random.uniform(1.5, 6);           // of the lines, Angstrom
  const double shift = 1 + random.uniform(-1e-3, 1e-3);  // up to 300 km/s
  spectrum.add_continuum([&](double wave) {
    double transmission = 1;
    for (const Line &line : stellar_lines) {
      const double x = (wave - line.wave * shift) / sigma;
      transmission *= 1 - line.strength * std::exp(-x * x / 2);
    }
    return level * std::pow(wave / 6500, slope) * transmission;
  });
}

void add_galaxy(Spectrum &spectrum, Random &random) {
  const double redshift = random.uniform(0.05, 1.3);
  const double level = log_uniform(random, 5, 80);
  const double strength = log_uniform(random, 150, 3000);
  const double sigma = random.uniform(0.8, 2.0) * (1 + redshift);
  const double break_wave = 4000 * (1 + redshift);
  spectrum.add_continuum([&](double wave) {
    return level * (1 + 0.35 * std::tanh((wave - break_wave) / 60));
  });
  for (const Line &line : galactic_lines)
    spectrum.add_line(line.wave * (1 + redshift), strength * line.strength, sigma);
}

void add_quasar(Spectrum &spectrum, Random &random) {
  const double redshift = random.uniform(0.6, 3.2);
  const double level = log_uniform(random, 15, 200);
  const double sigma = random.uniform(18, 40) * (1 + redshift);
  spectrum.add_continuum(
      [&](double wave) { return level * std::pow(wave / 6500, -0.6); });
  for (const Line &line : quasar_lines)
    spectrum.add_line(line.wave * (1 + redshift), level * 3 * sigma * line.strength,
                      sigma);
}

void add_target(Spectrum &spectrum, Random &random) {
  const double kind = random.uniform();
  if (kind < 0.15) return;  // a fibre on the blank sky
  if (kind < 0.60) return add_galaxy(spectrum, random);
  if (kind < 0.75) return add_quasar(spectrum, random);
  if (kind < 0.93) return add_star(spectrum, random, log_uniform(random, 30, 600));
  add_star(spectrum, random, log_uniform(random, 1500, 6000));
}

}  // namespace

std::vector<double> make_spectra(const specex_grid &grid, int32_t first_fiber,
                                 int32_t nspec, uint64_t seed) {
  std::vector<double> flux(static_cast<size_t>(nspec) * static_cast<size_t>(grid.nwave));
  for (int32_t i = 0; i < nspec; ++i) {
    Random random(seed, static_cast<uint64_t>(first_fiber + i));
    Spectrum spectrum(grid, flux.data() + i * grid.nwave);
    add_sky(spectrum, random.uniform(0.85, 1.0));
    add_target(spectrum, random);
  }
  return flux;
}

}  // namespace specex_cli
