// SPDX-License-Identifier: BSD-3-Clause
//
// The Doppler factor between the Mayall telescope and the barycentre of the solar system.
#pragma once

#include <functional>
#include <string>

namespace specex_cli {

// Factor F = 1 + z by which wavelengths measured at Kitt Peak have to be multiplied to be
// those of the barycentre, for light from (ra, dec) in degrees (ICRS) at an MJD (UTC):
// Wright & Eastman 2014 (PASP 126, 838), equation 28, for a source at rest at infinity,
// without the Shapiro delay. UT1 is taken as UTC, which matters less than 1e-10.
double barycentric_factor(double ra, double dec, double mjd);

// The factor of an exposure, from its header: toward TARGTRA and TARGTDEC, else SKYRA and
// SKYDEC, TELRA and TELDEC, RA and DEC, at MJD-OBS + EXPTIME / 2. value_of gives a key's
// text, "" where there is none. Throws a Failure that names what is missing.
double barycentric_factor(const std::function<std::string(const char *)> &value_of);

}  // namespace specex_cli
