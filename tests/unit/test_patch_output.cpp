// SPDX-License-Identifier: BSD-3-Clause
//
// Where the results of patches, and of parts of them, go.
#include "kernels/shared/patch_output.hpp"

#include <vector>

#include "support/cmocka.hpp"
#include "support/patch.hpp"
#include "support/synthetic_case.hpp"

namespace {

using specex::Box;
using specex::ModelTarget;
using specex::PatchOutput;
using specex_test::Frame;

using specex_test::patch_at;

// What is wanted of a frame's fibres and bins: how often each was written to.
std::vector<int> written(const PatchOutput &output, size_t size) {
  std::vector<int> counts(size);
  for (int i = output.first_fiber; i < output.end_fiber; ++i)
    for (int j = output.first_bin; j < output.end_bin; ++j) ++counts[output.at(i, j)];
  return counts;
}

void patch_output_of_a_result_is_all_of_it(void **) {
  const specex_patch patch = patch_at(4, 3, 10, 8, 5);
  specex_test::Results results({patch});
  const PatchOutput output(patch, results.results[0]);
  assert_ptr_equal(output.flux, results.results[0].flux);
  assert_true(written(output, 24) == std::vector<int>(24, 1));
  assert_int_equal(output.at(2, 7), 23);
  assert_int_equal(output.at(2, 1, 7), (2 * 3 + 1) * 8 + 7);
  assert_int_equal(output.model.stride, 4);
  assert_true(output.model.box == (Box{-1, 3, 2, 6}));
  assert_int_equal(output.path, SPECEX_PATH_NONE);
}

// Frames may have fewer fibres than a patch at either end, and fewer bins.
void patch_output_of_a_frame_is_clipped_to_it(void **) {
  constexpr int nspec = 4;
  constexpr int nwave = 13;
  const int first_frame_fiber = 5;
  Frame frame(first_frame_fiber, nspec, nwave, 3, 6, 7);
  for (const int first : {2, 4, 5, 7})
    for (const int nfiber : {1, 3, 8})
      for (const int nkeep : {5, 3}) {
        const specex_patch patch = patch_at(first, nfiber, 10, 8, nkeep);
        const PatchOutput output(patch, *frame.get());
        std::vector<int> expected(nspec * nwave);
        for (int i = 0; i < nspec; ++i)
          for (int w = 0; w < nwave; ++w)
            expected[static_cast<size_t>(i * nwave + w)] =
                first_frame_fiber + i >= first &&
                first_frame_fiber + i < first + nfiber && w >= 10;
        if (output.first_fiber >= output.end_fiber)
          expected.assign(expected.size(), 0);  // none of its fibres is in the frame
        assert_true(written(output, expected.size()) == expected);
        assert_int_equal(output.stride, nwave);
        assert_true(output.model.box == (Box{0, 6, 0, 7}));
      }
}

void patch_output_parts_make_up_the_whole(void **) {
  Frame frame(5, 4, 13, 3, 6, 7);
  const specex_patch patch = patch_at(3, 5, 2, 12, 11);
  const PatchOutput whole(patch, *frame.get());
  const std::vector<int> expected = written(whole, frame.flux.size());
  for (const int fibers : {1, 2, 5})
    for (const int bins : {1, 4, 5, 12}) {
      std::vector<int> counts(expected.size());
      for (int i = 0; i < patch.nfiber; i += fibers)
        for (int j = 0; j < patch.nbin; j += bins) {
          const PatchOutput part(whole, i, std::min(fibers, patch.nfiber - i), j,
                                 std::min(bins, patch.nbin - j));
          const std::vector<int> own = written(part, counts.size());
          for (size_t k = 0; k < counts.size(); ++k) counts[k] += own[k];
          // A bin of the part is the same bin of the whole.
          assert_int_equal(part.at(0, 0), whole.at(i, j));
          assert_int_equal(part.at(0, 2, 0), whole.at(i, 2, j));
          assert_ptr_equal(part.resolution, whole.resolution);
        }
      assert_true(counts == expected);
    }
}

void patch_output_parts_of_parts_are_parts(void **) {
  const specex_patch patch = patch_at(0, 4, 0, 20, 20);
  specex_test::Results results({patch});
  const PatchOutput whole(patch, results.results[0]);
  const PatchOutput outer(whole, 1, 3, 5, 10);
  const PatchOutput inner(outer, 1, 1, 2, 4);
  assert_true(written(inner, 80) == written(PatchOutput(whole, 2, 1, 7, 4), 80));
}

void patch_output_models_are_added_where_both_have_pixels(void **) {
  const std::vector<double> ones(25, 1.0);
  for (const Box &box :
       {Box{0, 5, 0, 5}, Box{-3, 2, 1, 6}, Box{4, 9, -4, 1}, Box{6, 11, 0, 5}}) {
    std::vector<double> image(5 * 8, 2.0);  // 4 columns, of 5, from (1, 1)
    const Box target{1, 5, 1, 8};
    specex::add_to_target({image.data(), 5, target}, box, ones.data());
    for (int y = 1; y < 9; ++y)
      for (int x = 1; x < 6; ++x) {
        const bool both = x < target.xmax && y < target.ymax && x >= box.xmin &&
                          x < box.xmax && y >= box.ymin && y < box.ymax;
        assert_near(image[static_cast<size_t>((y - 1) * 5 + x - 1)], both ? 3.0 : 2.0,
                    0.0);
      }
  }
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(patch_output_of_a_result_is_all_of_it),
      cmocka_unit_test(patch_output_of_a_frame_is_clipped_to_it),
      cmocka_unit_test(patch_output_parts_make_up_the_whole),
      cmocka_unit_test(patch_output_parts_of_parts_are_parts),
      cmocka_unit_test(patch_output_models_are_added_where_both_have_pixels),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
