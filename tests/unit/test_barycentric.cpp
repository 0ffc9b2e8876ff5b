// SPDX-License-Identifier: BSD-3-Clause
#include "barycentric.hpp"

#include <cmath>
#include <map>
#include <string>

#include "session.hpp"
#include "support/cmocka.hpp"

using namespace specex_cli;

namespace {

struct Expected {
  double ra, dec, mjd;
  double factor;
};

// SkyCoord(ra, dec).radial_velocity_correction(kind='barycentric') of astropy 5.2, for
// EarthLocation.from_geodetic(-111.59989, 31.96403, 2097 m).
constexpr Expected astropy[] = {
    {10, 0, 58800.3, 0.9999323043075},        {150.1, 2.2, 59200.4, 1.0000913758380},
    {217.8, 33.5, 59345.25, 0.9999666510923}, {300, -15, 59500.1, 0.9999018481941},
    {270, 66.56, 59600.5, 1.0000005386021},   {0, 80, 59700.2, 0.9999811677343},
    {45, -7, 60000.333, 0.9999151479325},     {180, 30, 60310.45, 1.0000830765654},
    {90, 23.4, 60500.4, 1.0000301735615},     {359.9, -20, 61000.2, 0.9999111921491}};

void barycentric_any_date_agrees_with_astropy(void **) {
  for (const Expected &expected : astropy)
    assert_near(barycentric_factor(expected.ra, expected.dec, expected.mjd),
                expected.factor, 1e-10);
}

using Keys = std::map<std::string, std::string>;

double factor_of(const Keys &keys) {
  return barycentric_factor([&keys](const char *name) {
    const auto found = keys.find(name);
    return found == keys.end() ? std::string() : found->second;
  });
}

const Keys when = {{"MJD-OBS", "59200.39"}, {"EXPTIME", "1728"}};

Keys with(Keys keys, const Keys &more) {
  keys.insert(more.begin(), more.end());
  return keys;
}

void barycentric_keys_time_is_middle_of_exposure(void **) {
  const Keys keys = with(when, {{"TARGTRA", "150.1"}, {"TARGTDEC", "2.2"}});
  assert_near(factor_of(keys), barycentric_factor(150.1, 2.2, 59200.4), 1e-15);
}

void barycentric_keys_first_complete_pair_counts(void **) {
  Keys keys = with(when, {{"RA", "10"}, {"DEC", "1"}});
  assert_near(factor_of(keys), barycentric_factor(10, 1, 59200.4), 1e-15);
  keys = with(keys, {{"TELRA", "20"}, {"TELDEC", "2"}});
  assert_near(factor_of(keys), barycentric_factor(20, 2, 59200.4), 1e-15);
  keys = with(keys, {{"SKYRA", "30"}, {"SKYDEC", "3"}});
  assert_near(factor_of(keys), barycentric_factor(30, 3, 59200.4), 1e-15);
  keys = with(keys, {{"TARGTRA", "40"}});
  assert_near(factor_of(keys), barycentric_factor(30, 3, 59200.4), 1e-15);
  keys = with(keys, {{"TARGTDEC", "4"}});
  assert_near(factor_of(keys), barycentric_factor(40, 4, 59200.4), 1e-15);
}

// The message of the failure, "" if there was none.
std::string complaint(const Keys &keys) {
  try {
    factor_of(keys);
  } catch (const Failure &failure) {
    assert_int_equal(failure.exit_code(), exit_bad_data);
    return failure.what();
  }
  return "";
}

bool contains(const std::string &text, const char *part) {
  return text.find(part) != std::string::npos;
}

void barycentric_keys_missing_are_named(void **) {
  const Keys where = {{"TARGTRA", "150.1"}, {"TARGTDEC", "2.2"}};
  assert_true(contains(complaint(with(where, {{"EXPTIME", "900"}})), "MJD-OBS"));
  assert_true(contains(complaint(with(where, {{"MJD-OBS", "59200"}})), "EXPTIME"));
  assert_true(contains(complaint(when), "TARGTRA"));
  assert_true(contains(complaint(with(when, {{"TARGTRA", "150.1"}})), "TARGTDEC"));
  assert_true(contains(complaint(with(when, {{"RA", "x"}, {"DEC", "1"}})), "TARGTRA"));
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(barycentric_any_date_agrees_with_astropy),
      cmocka_unit_test(barycentric_keys_time_is_middle_of_exposure),
      cmocka_unit_test(barycentric_keys_first_complete_pair_counts),
      cmocka_unit_test(barycentric_keys_missing_are_named),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
