// SPDX-License-Identifier: BSD-3-Clause
#include "barycentric.hpp"

#include <erfa.h>
#include <erfam.h>

#include <cmath>
#include <cstdlib>
#include <optional>

#include "log.hpp"
#include "session.hpp"

namespace specex_cli {
namespace {

// The Mayall telescope on Kitt Peak.
constexpr double latitude = 31.96403;     // degrees
constexpr double longitude = -111.59989;  // degrees, east positive
constexpr double height = 2097;           // metres

// Heliocentric and geocentric gravitational constants, m^3/s^2 (IAU 2015, resolution B3).
constexpr double sun_constant = 1.3271244e20;
constexpr double earth_constant = 3.986004e14;

std::optional<double> number(const std::string &text) {
  char *end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  if (text.empty() || *end != '\0' || !std::isfinite(value)) return std::nullopt;
  return value;
}

}  // namespace

double barycentric_factor(double ra, double dec, double mjd) {
  double tai1, tai2, tt1, tt2;
  // A year ERFA knows no leap seconds of yet is only a warning to it, and to us.
  if (eraUtctai(ERFA_DJM0, mjd, &tai1, &tai2) < 0)
    throw Failure(exit_bad_data, text("MJD-OBS = %g is not a date", mjd));
  eraTaitt(tai1, tai2, &tt1, &tt2);

  double earth_of_sun[2][3], earth[2][3];  // au, au/day, ICRS
  eraEpv00(tt1, tt2, earth_of_sun, earth);

  double site[2][3];  // m, m/s
  eraPvtob(longitude * ERFA_DD2R, latitude * ERFA_DD2R, height, 0, 0, 0,
           eraEra00(ERFA_DJM0, mjd), site);
  double to_intermediate[3][3];
  eraC2i06a(tt1, tt2, to_intermediate);
  double site_velocity[3];  // m/s, ICRS axes
  eraTrxp(to_intermediate, site[1], site_velocity);

  double direction[3];
  eraS2c(ra * ERFA_DD2R, dec * ERFA_DD2R, direction);
  double along = 0, squared = 0;  // velocity / c
  for (int i = 0; i < 3; ++i) {
    const double beta =
        (earth[1][i] * ERFA_DAU / ERFA_DAYSEC + site_velocity[i]) / ERFA_CMPS;
    along += beta * direction[i];
    squared += beta * beta;
  }
  const double potential = sun_constant / (eraPm(earth_of_sun[0]) * ERFA_DAU) +
                           earth_constant / eraPm(site[0]);
  return (1 + along) / std::sqrt(1 - squared) / (1 - potential / (ERFA_CMPS * ERFA_CMPS));
}

double barycentric_factor(const std::function<std::string(const char *)> &value_of) {
  const char *const directions[][2] = {
      {"TARGTRA", "TARGTDEC"}, {"SKYRA", "SKYDEC"}, {"TELRA", "TELDEC"}, {"RA", "DEC"}};
  const auto mjd = number(value_of("MJD-OBS"));
  const auto exposure = number(value_of("EXPTIME"));
  if (!mjd || !exposure)
    throw Failure(
        exit_bad_data,
        text("the barycentric correction needs the key %s in the image's header",
             mjd ? "EXPTIME" : "MJD-OBS"));
  for (const auto &keys : directions) {
    const auto ra = number(value_of(keys[0]));
    const auto dec = number(value_of(keys[1]));
    if (ra && dec) return barycentric_factor(*ra, *dec, *mjd + *exposure / 2 / 86400);
  }
  throw Failure(exit_bad_data,
                "the barycentric correction needs TARGTRA and TARGTDEC (or SKYRA and "
                "SKYDEC, TELRA and TELDEC, RA and DEC) in the image's header");
}

}  // namespace specex_cli
