// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/shared/spot_model.hpp"

#include "kernels/shared/gauss_hermite_spots.hpp"

namespace specex {

std::unique_ptr<SpotModel> make_spot_model(const Psf &psf) {
  return std::make_unique<GaussHermiteSpots>(psf);  // the only kind that copy_psf accepts
}

}  // namespace specex
