// SPDX-License-Identifier: BSD-3-Clause
#include "base/struct_size.hpp"

#include <array>

#include "support/cmocka.hpp"

namespace {

struct Room {  // a caller's struct, with space for a newer release's fields
  alignas(8) std::array<unsigned char, sizeof(specex_grid) + 64> bytes{};

  explicit Room(int64_t size) {
    specex_grid grid{};
    grid.struct_size = size;
    grid.wavemin = 4000.0;
    grid.nwave = 7;
    std::memcpy(bytes.data(), &grid, sizeof grid);
  }
  const specex_grid *grid() const {
    return reinterpret_cast<const specex_grid *>(bytes.data());
  }
};

specex_status status_of(const specex_grid *grid) {
  try {
    specex::copy_struct(grid, "specex_grid");
  } catch (const specex::Error &error) {
    return error.status();
  }
  return SPECEX_OK;
}

void struct_size_every_size_is_taken_or_refused(void **) {
  constexpr int64_t own = sizeof(specex_grid);
  for (int64_t size = 0; size <= own + 64; ++size)
    assert_int_equal(status_of(Room(size).grid()),
                     size < own ? SPECEX_ERROR_VERSION : SPECEX_OK);
  for (const int64_t size : {int64_t{-1}, INT64_MIN, INT64_MAX, int64_t{1} << 17})
    assert_int_equal(status_of(Room(size).grid()), SPECEX_ERROR_VERSION);
}

void struct_size_unknown_fields_must_be_zero(void **) {
  for (size_t k = sizeof(specex_grid); k < sizeof(specex_grid) + 64; ++k) {
    Room room(sizeof(specex_grid) + 64);
    room.bytes[k] = 1;
    assert_int_equal(status_of(room.grid()), SPECEX_ERROR_VERSION);
    Room shorter(static_cast<int64_t>(k));  // the byte is not part of the struct
    shorter.bytes[k] = 1;
    assert_int_equal(status_of(shorter.grid()), SPECEX_OK);
  }
}

void struct_size_copy_is_of_this_release(void **) {
  const Room room(sizeof(specex_grid) + 8);
  const specex_grid copy = specex::copy_struct(room.grid(), "specex_grid");
  assert_int_equal(copy.struct_size, sizeof(specex_grid));
  assert_near(copy.wavemin, 4000.0, 0.0);
  assert_int_equal(copy.nwave, 7);
}

void struct_size_null_is_an_argument_error(void **) {
  assert_int_equal(status_of(nullptr), SPECEX_ERROR_ARGUMENT);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(struct_size_every_size_is_taken_or_refused),
      cmocka_unit_test(struct_size_unknown_fields_must_be_zero),
      cmocka_unit_test(struct_size_copy_is_of_this_release),
      cmocka_unit_test(struct_size_null_is_an_argument_error),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
