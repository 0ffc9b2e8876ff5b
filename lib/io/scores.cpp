// SPDX-License-Identifier: BSD-3-Clause
#include "io/scores.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "base/deal.hpp"

namespace specex::io {
namespace {

struct Band {
  const char *name;
  double begin;  // Angstrom
  double end;
};

constexpr std::array<Band, 3> bands = {Band{"B", 4000, 5800}, Band{"R", 5800, 7600},
                                       Band{"Z", 7600, 9800}};

// By the mean wavelength, which for the cameras' full ranges is inside their band.
const Band &band_of(const double *wavelength, int64_t nwave) {
  const double mean =
      std::accumulate(wavelength, wavelength + nwave, 0.0) / static_cast<double>(nwave);
  if (mean <= bands[0].end) return bands[0];
  return mean < bands[2].begin ? bands[1] : bands[2];
}

double bin_width(const double *wavelength, int64_t nwave, int64_t bin) {
  const int64_t before = std::max<int64_t>(bin - 1, 0);
  const int64_t after = std::min(bin + 1, nwave - 1);
  return (wavelength[after] - wavelength[before]) / static_cast<double>(after - before);
}

// Reorders the values.
double median(std::vector<double> &values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

}  // namespace

Scores compute_scores(const specex_frame &frame, int threads) {
  const Band &band = band_of(frame.wavelength, frame.nwave);
  std::vector<int64_t> bins;
  std::vector<double> widths;
  for (int64_t w = 0; w < frame.nwave; ++w) {
    if (frame.wavelength[w] < band.begin || frame.wavelength[w] >= band.end) continue;
    bins.push_back(w);
    widths.push_back(bin_width(frame.wavelength, frame.nwave, w));
  }
  Scores scores;
  if (bins.empty()) return scores;
  scores.band = band.name;
  const auto nspec = static_cast<size_t>(frame.nspec);
  for (auto *values : {&scores.sum, &scores.median, &scores.median_snr})
    values->resize(nspec);
  deal(threads, nspec, [&](size_t fiber) {
    const double *flux = frame.flux + static_cast<int64_t>(fiber) * frame.nwave;
    const double *ivar = frame.ivar + static_cast<int64_t>(fiber) * frame.nwave;
    std::vector<double> density(bins.size());
    std::vector<double> snr(bins.size());
    double sum = 0;
    for (size_t i = 0; i < bins.size(); ++i) {
      const double value = flux[bins[i]];
      sum += value;
      density[i] = value / widths[i];
      snr[i] = std::sqrt(std::max(ivar[bins[i]], 0.0)) * value / std::sqrt(widths[i]);
    }
    scores.sum[fiber] = sum;
    scores.median[fiber] = median(density);
    scores.median_snr[fiber] = median(snr);
  });
  return scores;
}

}  // namespace specex::io
