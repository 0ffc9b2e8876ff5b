// SPDX-License-Identifier: BSD-3-Clause
//
// The interface that a kind of PSF implements: the image of one fibre at one wavelength.
// A new kind adds a class here and a case in make_spot_model; nothing else knows.
#pragma once

#include <memory>

#include "model/psf.hpp"

namespace specex {

// Where and how a PSF falls: corner of the stamp, then [spot_ny][spot_nx] values >= 0
// that sum to 1 - or are all 0 where the PSF's parameters make no sense.
class SpotModel {
 public:
  virtual ~SpotModel() = default;
  virtual Corner evaluate(int fiber, double wave, double *spot) const = 0;
};

// Keeps a reference to the PSF.
std::unique_ptr<SpotModel> make_spot_model(const Psf &psf);

}  // namespace specex
