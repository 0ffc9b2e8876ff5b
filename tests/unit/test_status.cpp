// SPDX-License-Identifier: BSD-3-Clause
//
// The numbers and names of statuses are part of the ABI: they are repeated here by hand.
#include <specex/specex.h>

#include <cstring>
#include <set>
#include <string>

#include "support/cmocka.hpp"

namespace {

constexpr struct {
  int number;
  const char *name;
} statuses[] = {
    {0, "SPECEX_OK"},
    {1, "SPECEX_PARTIAL"},
    {10, "SPECEX_ERROR_ARGUMENT"},
    {11, "SPECEX_ERROR_VERSION"},
    {12, "SPECEX_ERROR_STATE"},
    {13, "SPECEX_ERROR_BUSY"},
    {14, "SPECEX_ERROR_HANDLE"},
    {15, "SPECEX_ERROR_FORKED"},
    {16, "SPECEX_ERROR_UNSUPPORTED"},
    {20, "SPECEX_ERROR_DATA"},
    {21, "SPECEX_ERROR_PSF"},
    {22, "SPECEX_ERROR_RANGE"},
    {30, "SPECEX_ERROR_NUMERIC"},
    {40, "SPECEX_ERROR_MEMORY"},
    {50, "SPECEX_ERROR_NO_DEVICE"},
    {51, "SPECEX_ERROR_DEVICE"},
    {60, "SPECEX_ERROR_IO"},
    {61, "SPECEX_ERROR_FORMAT"},
    {62, "SPECEX_ERROR_LIMIT"},
    {63, "SPECEX_ERROR_CHECKSUM"},
    {70, "SPECEX_CANCELLED"},
    {90, "SPECEX_ERROR_INTERNAL"},
};

void status_numbers_keep_their_names(void **) {
  for (const auto &status : statuses)
    assert_string_equal(specex_status_name(status.number), status.name);
}

void status_every_number_has_a_text_of_its_own(void **) {
  std::set<std::string> texts;
  for (const auto &status : statuses) {
    assert_true(std::strlen(specex_status_text(status.number)) > 3);
    assert_true(texts.insert(specex_status_text(status.number)).second);
  }
}

void status_other_numbers_are_unknown(void **) {
  int known = 0;
  for (int number = -1000; number <= 1000; ++number)
    known += std::strcmp(specex_status_name(number), "SPECEX_UNKNOWN") != 0 ? 1 : 0;
  assert_int_equal(known, std::size(statuses));
  for (const int32_t number : {INT32_MIN, INT32_MAX}) {
    assert_string_equal(specex_status_name(number), "SPECEX_UNKNOWN");
    assert_non_null(specex_status_text(number));
  }
}

void status_version_is_that_of_the_header(void **) {
  const std::string expected = std::to_string(SPECEX_VERSION_MAJOR) + "." +
                               std::to_string(SPECEX_VERSION_MINOR) + "." +
                               std::to_string(SPECEX_VERSION_PATCH);
  assert_string_equal(specex_version(), expected.c_str());
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(status_numbers_keep_their_names),
      cmocka_unit_test(status_every_number_has_a_text_of_its_own),
      cmocka_unit_test(status_other_numbers_are_unknown),
      cmocka_unit_test(status_version_is_that_of_the_header),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
