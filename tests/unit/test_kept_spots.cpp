// SPDX-License-Identifier: BSD-3-Clause
//
// Spots that are kept are used while PSF, grid and fibres are the same, and take no more
// memory than is allowed; of results they change no bit.
#include "kernels/cpu/kept_spots.hpp"

#include <algorithm>

#include "support/cmocka.hpp"
#include "support/synthetic_case.hpp"

namespace {

using specex::KeptSpots;
using specex::PieceShape;
using specex_test::Case;
using specex_test::CaseSpec;
using specex_test::Context;
using specex_test::Frame;

PieceShape shape_from(int first_bin) { return {0, 5, first_bin, 20, 5000.0, 0.8}; }

// Asks for 100 numbers of a piece as an extraction does: whether they were there.
bool was_kept(KeptSpots &spots, size_t piece, const PieceShape &shape) {
  KeptSpots::Part *part = spots.part(piece, shape, 100);
  if (part == nullptr) return false;
  const bool kept = part->evaluated;
  if (!kept) part->values.data()[99] = shape.first_bin;
  assert_near(part->values.data()[99], shape.first_bin, 0);
  part->evaluated = true;
  return kept;
}

void spots_are_kept_while_the_pieces_are_the_same(void **) {
  KeptSpots spots(10000);
  spots.begin(2);
  for (const size_t piece : {0, 1}) {
    assert_false(was_kept(spots, piece, shape_from(0)));
    assert_true(was_kept(spots, piece, shape_from(0)));
  }
  spots.begin(2);
  assert_true(was_kept(spots, 0, shape_from(0)));
  assert_false(was_kept(spots, 1, shape_from(7)));
  assert_true(was_kept(spots, 1, shape_from(7)));
  PieceShape other = shape_from(7);
  other.wavestep = 0.9;
  assert_false(was_kept(spots, 1, other));

  spots.begin(3);
  assert_false(was_kept(spots, 0, shape_from(0)));
  spots.forget();
  spots.begin(3);
  assert_false(was_kept(spots, 0, shape_from(0)));
}

void spots_are_kept_where_there_is_room(void **) {
  KeptSpots spots(1600);
  spots.begin(3);
  for (int round = 0; round < 3; ++round)  // pieces that change give back what they had
    for (const int first_bin : {0, 10}) {
      assert_non_null(spots.part(0, shape_from(first_bin), 100));
      assert_non_null(spots.part(1, shape_from(first_bin), 100));
      assert_null(spots.part(2, shape_from(first_bin), 1));
    }
  assert_non_null(spots.part(0, shape_from(20), 99));
  assert_non_null(spots.part(2, shape_from(20), 1));

  KeptSpots none(0);
  none.begin(1);
  assert_null(none.part(0, shape_from(0), 1));
}

// Two images and two PSFs, of which the second has spots that the model evaluates one by
// one.
CaseSpec spec_of(uint64_t seed, bool tails) {
  CaseSpec spec;
  spec.nwave = 60;
  spec.seed = seed;
  spec.tails = tails;
  return spec;
}

void assert_kept_changes_nothing(const specex_options &without, int64_t spot_memory) {
  specex_options with = without;
  with.spot_memory = spot_memory;
  const Context kept(with);
  const auto assert_same = [&](const Case &c, const specex_grid &grid, int first_fiber,
                               int nspec, const Context &plain) {
    Frame expected(first_fiber, nspec, grid.nwave, 9, c.nx, c.ny);
    Frame frame = expected;
    const specex_image image = c.image();
    assert_int_equal(
        specex_extract_frame(plain, &image, &grid, first_fiber, nspec, expected.get()),
        SPECEX_OK);
    assert_int_equal(
        specex_extract_frame(kept, &image, &grid, first_fiber, nspec, frame.get()),
        SPECEX_OK);
    assert_true(frame.finite());
    assert_true(specex_test::same_bits(frame, expected));
  };
  for (const bool tails : {false, true, false}) {
    Case images[] = {specex_test::make_case(spec_of(1, tails)),
                     specex_test::make_case(spec_of(2, tails))};
    assert_int_equal(specex_set_psf(kept, images[0].psf.view()), SPECEX_OK);
    const Context plain(without, images[0].psf.view());
    specex_grid later = images[0].grid;
    later.wavemin += 3 * later.wavestep;
    for (const specex_grid &grid : {images[0].grid, later})
      for (const int first_fiber : {0, 1})
        for (const int image : {0, 1, 0})
          assert_same(images[image], grid, first_fiber, 4, plain);
    // The next PSF begins with pieces of the same shape.
    assert_same(images[1], images[0].grid, 0, 4, plain);
  }
}

void kept_spots_change_no_bit(void **) {
  specex_options divided = specex_test::small_options();
  divided.num_threads = 2;
  specex_options seamless = divided;
  seamless.nsubbundles = seamless.nwavestep = 0;
  for (const specex_options &options : {divided, seamless})
    for (const int64_t memory : {int64_t{1}, int64_t{200000}, int64_t{1} << 30})
      assert_kept_changes_nothing(options, memory);
}

// Spots with tails take several times what using them again does.
void kept_spots_are_used(void **) {
  Case c = specex_test::make_case(spec_of(1, true));
  specex_options options = specex_test::small_options();
  options.spot_memory = 1 << 30;
  const Context context(options, c.psf.view());
  const auto seconds_for_spots = [&] {
    return specex_test::seconds_of(SPECEX_STAGE_SPOTS, context, c);
  };
  const double first = seconds_for_spots();
  double again = first;
  for (int k = 0; k < 3; ++k) again = std::min(again, seconds_for_spots());
  assert_true(again < 0.5 * first);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(spots_are_kept_while_the_pieces_are_the_same),
      cmocka_unit_test(spots_are_kept_where_there_is_room),
      cmocka_unit_test(kept_spots_change_no_bit),
      cmocka_unit_test(kept_spots_are_used),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
