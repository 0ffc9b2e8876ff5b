// SPDX-License-Identifier: BSD-3-Clause
//
// The tables that kernels read, on their way to a device: the PSF and the rational roots.
#pragma once

#include <cstdint>
#include <vector>

#include "kernels/cuda/arena.hpp"
#include "kernels/cuda/device_psf.hpp"
#include "kernels/cuda/spots.hpp"
#include "kernels/cuda/square_root.hpp"
#include "kernels/shared/gauss_hermite_spots.hpp"
#include "kernels/shared/rational_root.hpp"

namespace specex::gpu {

// Whether EvaluateSpots has room for this PSF.
inline bool has_room(const Psf &psf) {
  return psf.ghdegx <= max_degree && psf.ghdegy <= max_degree &&
         psf.spot_ny() <= max_side;
}

template <class Device>
class PsfOnDevice {
 public:
  PsfOnDevice(Device &device, Buffer<Device> &buffer, const Psf &psf,
              const GaussHermiteSpots &spots) {
    std::vector<double> values;
    std::vector<std::pair<Series *, size_t>> places;
    const auto begin = [&](Series &series, const LegendreTable &like) {
      series = {nullptr, like.ncoef, psf.nspec, like.wavemin, like.wavemax};
      places.emplace_back(&series, values.size());
    };
    const auto append = [&](const LegendreTable *table, int ncoef) {
      const size_t first = values.size();
      const auto nspec = static_cast<size_t>(psf.nspec);
      values.resize(first + nspec * static_cast<size_t>(ncoef));
      if (table == nullptr) return;
      for (size_t fiber = 0; fiber < nspec; ++fiber)
        for (size_t k = 0; k < static_cast<size_t>(ncoef); ++k)
          values[first + k * nspec + fiber] =
              table->coefficients[fiber * static_cast<size_t>(ncoef) + k];
    };
    const auto single = [&](Series &series, const LegendreTable &table) {
      begin(series, table);
      append(&table, table.ncoef);
    };
    psf_ = {psf.hsizex, psf.hsizey, psf.ghdegx, psf.ghdegy,       {},     {}, {},
            {},         {},         {},         spots.has_tail(), nullptr};
    single(psf_.xtrace, psf.xtrace);
    single(psf_.ytrace, psf.ytrace);
    single(psf_.sigma_x, spots.sigma_x());
    single(psf_.sigma_y, spots.sigma_y());
    const int yterms = psf.ghdegy + 1;
    std::vector<const LegendreTable *> terms(
        static_cast<size_t>((psf.ghdegx + 1) * yterms));
    for (const GaussHermiteSpots::Term &term : spots.terms())
      terms[static_cast<size_t>(term.i * yterms + term.j)] = term.coefficient;
    begin(psf_.terms, spots.sigma_x());
    for (const LegendreTable *table : terms) append(table, spots.sigma_x().ncoef);
    if (spots.has_tail()) begin(psf_.tail, *spots.tail().front());
    for (const LegendreTable *table : spots.tail()) append(table, table->ncoef);

    std::vector<int32_t> failed(psf.failed_fit.begin(), psf.failed_fit.end());
    std::vector<double> kappa;
    std::vector<int32_t> first{0};
    std::vector<double> shift;
    std::vector<double> weight;
    for (const RationalRoot &root : rational_roots()) {
      kappa.push_back(root.kappa);
      shift.insert(shift.end(), root.shift.begin(), root.shift.end());
      weight.insert(weight.end(), root.weight.begin(), root.weight.end());
      first.push_back(static_cast<int32_t>(shift.size()));
    }
    double *all = nullptr;
    int32_t *failed_fit = nullptr;
    double *kappas = nullptr;
    int32_t *firsts = nullptr;
    double *shifts = nullptr;
    double *weights = nullptr;
    Layout layout;
    const auto size = [](const auto &vector) {
      return static_cast<int64_t>(vector.size());
    };
    layout.add(all, size(values));
    layout.add(failed_fit, size(failed));
    layout.add(kappas, size(kappa));
    layout.add(firsts, size(first));
    layout.add(shifts, size(shift));
    layout.add(weights, size(weight));
    layout.place(buffer.reserve(layout.size()));
    upload_all(device, all, values);
    upload_all(device, failed_fit, failed);
    upload_all(device, kappas, kappa);
    upload_all(device, firsts, first);
    upload_all(device, shifts, shift);
    upload_all(device, weights, weight);
    for (const auto &[series, offset] : places) series->coefficients = all + offset;
    psf_.failed_fit = failed_fit;
    roots_ = {static_cast<int>(kappa.size()), kappas, firsts, shifts, weights};
  }

  const DevicePsf &psf() const { return psf_; }
  const RootTable &roots() const { return roots_; }

 private:
  DevicePsf psf_;
  RootTable roots_;
};

}  // namespace specex::gpu
