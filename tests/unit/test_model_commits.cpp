// SPDX-License-Identifier: BSD-3-Clause
//
// Models arrive in any order and are added in one.
#include "kernels/cpu/model_commits.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <thread>

#include "support/cmocka.hpp"
#include "support/random.hpp"
#include "support/synthetic_case.hpp"

namespace {

using specex::Box;
using specex::ModelCommits;
using specex::ModelPart;
using specex::ModelTarget;

constexpr int nx = 11;
constexpr int ny = 17;
constexpr size_t pieces = 6;

// Images of pieces overlap each other and reach beyond the target; magnitudes differ so
// much that the order of a sum can be seen.
std::vector<ModelPart> parts_of(ModelCommits &commits, const ModelTarget &target,
                                size_t piece) {
  specex_test::Random random(piece);
  std::vector<ModelPart> parts;
  for (size_t k = 0; k < piece % 3; ++k) {  // none, one or two
    const int low = random.below(10) - 4;
    parts.push_back(commits.start(target, {low, low + 9, low + 1, low + 14}));
    for (double &pixel : parts.back().pixels) {
      assert_near(pixel, 0.0, 0.0);  // memory is used again
      pixel = std::pow(10.0, 16.0 * random.uniform()) * random.normal();
    }
  }
  return parts;
}

std::vector<double> sum_in_order(const std::vector<size_t> &order) {
  std::vector<double> image(nx * ny, 0.0);
  const ModelTarget target{image.data(), nx, {0, nx, 0, ny}};
  ModelCommits commits;
  for (const size_t piece : order)
    commits.commit(piece, parts_of(commits, target, piece));
  return image;
}

void model_commits_in_any_order_give_the_same_bits(void **) {
  std::vector<size_t> order(pieces);
  std::iota(order.begin(), order.end(), size_t{0});
  const std::vector<double> expected = sum_in_order(order);
  assert_true(std::any_of(expected.begin(), expected.end(),
                          [](double pixel) { return pixel != 0.0; }));
  while (std::next_permutation(order.begin(), order.end()))
    assert_true(specex_test::same_bits(sum_in_order(order), expected));
}

void model_commits_from_many_threads_give_the_same_bits(void **) {
  std::vector<size_t> order(pieces);
  std::iota(order.begin(), order.end(), size_t{0});
  const std::vector<double> expected = sum_in_order(order);
  std::vector<double> image(nx * ny, 0.0);
  const ModelTarget target{image.data(), nx, {0, nx, 0, ny}};
  ModelCommits commits;
  std::vector<std::thread> threads;
  for (const size_t piece : order)
    threads.emplace_back(
        [&, piece] { commits.commit(piece, parts_of(commits, target, piece)); });
  for (std::thread &thread : threads) thread.join();
  assert_true(specex_test::same_bits(image, expected));
}

// Nothing is added before its turn.
void model_commits_wait_for_earlier_pieces(void **) {
  std::vector<double> image(nx * ny, 0.0);
  const ModelTarget target{image.data(), nx, {0, nx, 0, ny}};
  ModelCommits commits;
  std::vector<ModelPart> parts;
  parts.push_back(commits.start(target, {0, 1, 0, 1}));
  parts[0].pixels[0] = 3.0;
  commits.commit(1, std::move(parts));
  assert_near(image[0], 0.0, 0.0);
  commits.commit(0, {});
  assert_near(image[0], 3.0, 0.0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(model_commits_in_any_order_give_the_same_bits),
      cmocka_unit_test(model_commits_from_many_threads_give_the_same_bits),
      cmocka_unit_test(model_commits_wait_for_earlier_pieces),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
