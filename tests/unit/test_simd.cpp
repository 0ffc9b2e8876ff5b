// SPDX-License-Identifier: BSD-3-Clause
//
// The vector kernels of every instruction set that this processor has, stage by stage,
// against scalar sums and dense algebra.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <limits>
#include <numeric>
#include <tuple>
#include <vector>

#include "kernels/cpu/simd/half_band.hpp"
#include "kernels/cpu/simd/instruction_sets.hpp"
#include "kernels/shared/chi2.hpp"
#include "kernels/shared/dense_algebra.hpp"
#include "kernels/shared/gauss_hermite_spots.hpp"
#include "kernels/shared/image.hpp"
#include "kernels/shared/rational_root.hpp"
#include "kernels/shared/shortcut_bounds.hpp"
#include "support/cmocka.hpp"
#include "support/random.hpp"

namespace {

namespace simd = specex::simd;
using specex::Symmetric;
using specex_test::Random;

constexpr int width = simd::width;
constexpr double nan = std::numeric_limits<double>::quiet_NaN();

size_t at(int64_t index) { return static_cast<size_t>(index); }

int round_up(int count) { return (count + width - 1) / width * width; }

std::vector<const simd::Kernels *> all_kernels() {
  std::vector<const simd::Kernels *> kernels = {&specex::portable::kernels};
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    kernels.push_back(&specex::avx2::kernels);
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw"))
    kernels.push_back(&specex::avx512::kernels);
#endif
  return kernels;
}

// ------------------------------------------------------------------ spots

simd::StampLayout layout_of(int nx, int ny) {
  const int row = round_up(nx + width - 1);
  return {nx, ny, row, row * (ny + 1)};
}

specex::LegendreTable series(std::vector<double> coefficients) {
  return {static_cast<int>(coefficients.size()), 0.0, 100.0, std::move(coefficients)};
}

specex::Psf make_psf(int hx, int hy, int dx, int dy, Random &random, double sigma_x = 1.1,
                     double sigma_y = 0.9) {
  specex::Psf psf;
  psf.nspec = 1;
  psf.hsizex = hx;
  psf.hsizey = hy;
  psf.ghdegx = dx;
  psf.ghdegy = dy;
  psf.xtrace = series({31.0 + random.uniform(), 2.3, -0.4, 0.1});
  psf.ytrace = series({120.0 + random.uniform(), 75.0, 0.9});
  const auto add = [&](const char *name, double first, double scale) {
    psf.parameters.emplace_back(
        name, series({first, scale * random.normal(), scale * random.normal()}));
  };
  add("GHSIGX", sigma_x, 0.05 * sigma_x / 1.1);
  add("GHSIGY", sigma_y, 0.05 * sigma_y / 0.9);
  for (int i = 0; i <= dx; ++i)
    for (int j = 0; j <= dy; ++j) {
      char name[32];
      std::snprintf(name, sizeof name, "GH-%d-%d", i, j);
      // The functions grow like the root of the factorial.
      const double scale = 0.05 / std::sqrt(std::tgamma(i + 1) * std::tgamma(j + 1));
      add(name, i + j == 0 ? 1.0 : scale * random.normal(), 0.3 * scale);
    }
  return psf;
}

// Legendre polynomials at bins 0 to 15, one Angstrom apart.
struct Basis {
  Basis(const specex::LegendreTable &table, double first) : values(at(table.ncoef) * 16) {
    for (int k = 0; k < table.ncoef; ++k)
      for (int bin = 0; bin < 16; ++bin) {
        std::vector<double> one(at(k + 1), 0.0);
        one.back() = 1.0;
        const double t =
            2.0 * (first + bin - table.wavemin) / (table.wavemax - table.wavemin) - 1.0;
        values[at(k * 16 + bin)] = specex::legendre_sum(one.data(), k + 1, t);
      }
  }
  operator simd::Basis() const { return {values.data(), 16}; }
  std::vector<double> values;
};

struct FiberTables {
  explicit FiberTables(const specex::Psf &given) : psf(given) {
    const auto terms_y = psf.ghdegy + 1;
    const int ncoef = psf.find("GHSIGX")->ncoef;
    terms.assign(at((psf.ghdegx + 1) * terms_y * ncoef), 0.0);
    const specex::GaussHermiteSpots model(psf);
    for (const auto &term : model.terms())
      std::copy(term.coefficient->coefficients.begin(),
                term.coefficient->coefficients.end(),
                terms.begin() + (term.i * terms_y + term.j) * ncoef);
    for (const specex::LegendreTable *table : model.tail())
      tail.insert(tail.end(), table->coefficients.begin(), table->coefficients.end());
  }
  simd::FiberPsf view() const {
    const auto data = [&](const char *name) {
      return psf.find(name)->coefficients.data();
    };
    return {psf.hsizex,
            psf.hsizey,
            psf.ghdegx,
            psf.ghdegy,
            psf.xtrace.ncoef,
            psf.ytrace.ncoef,
            psf.find("GHSIGX")->ncoef,
            psf.xtrace.coefficients.data(),
            psf.ytrace.coefficients.data(),
            data("GHSIGX"),
            data("GHSIGY"),
            terms.data(),
            tail.empty() ? nullptr : tail.data()};
  }
  const specex::Psf &psf;
  std::vector<double> terms;
  std::vector<double> tail;
};

// The stamps of bins [bin, bin + 8); what was not written stays NaN.
std::vector<std::vector<double>> evaluate_stamps(const simd::Kernels &kernels,
                                                 const specex::Psf &psf, double first,
                                                 int bin, std::array<int, width> &shift) {
  const FiberTables tables(psf);
  const Basis x(psf.xtrace, first);
  const Basis y(psf.ytrace, first);
  const Basis shape(*psf.find("GHSIGX"), first);
  int corner_x[width];
  int corner_y[width];
  for (int k = 0; k < width; ++k) {
    const specex::Corner corner = specex::spot_corner(
        psf, psf.xtrace.at(0, first + bin + k), psf.ytrace.at(0, first + bin + k));
    corner_x[k] = corner.x;
    corner_y[k] = corner.y;
  }
  const simd::StampLayout layout = layout_of(psf.spot_nx(), psf.spot_ny());
  std::vector<double> scratch(kernels.spot_scratch(tables.view()), nan);
  std::vector<std::vector<double>> stamps(width,
                                          std::vector<double>(at(layout.size), nan));
  double *pointers[width];
  for (int k = 0; k < width; ++k) pointers[k] = stamps[at(k)].data();
  kernels.evaluate_spots(tables.view(), {x, y, shape}, bin, corner_x, corner_y,
                         shift.data(), pointers, scratch.data());
  return stamps;
}

// The largest difference from the scalar rule, at random wavelengths and shifts.
double check_stamps(const simd::Kernels &kernels, const specex::Psf &psf, Random &random,
                    double bound = 1e-14) {
  double worst = 0.0;
  const double first = 40.0 + 20.0 * random.uniform();
  const int bin = random.below(8);
  std::array<int, width> shift{};
  for (int &columns : shift) columns = random.below(width);
  const auto stamps = evaluate_stamps(kernels, psf, first, bin, shift);
  const simd::StampLayout layout = layout_of(psf.spot_nx(), psf.spot_ny());
  const specex::GaussHermiteSpots model(psf);
  std::vector<double> spot(at(layout.nx * layout.ny));
  for (int k = 0; k < width; ++k) {
    model.evaluate(0, first + bin + k, spot.data());
    for (int r = 0; r < layout.ny; ++r)
      for (int c = 0; c < layout.row; ++c) {
        const int column = c - shift[at(k)];
        const double expected =
            column >= 0 && column < layout.nx ? spot[at(r * layout.nx + column)] : 0.0;
        const double value = stamps[at(k)][at(r * layout.row + c)];
        if (!(std::abs(value - expected) <= bound))
          fail_msg("%s: size %d x %d, degrees %d, %d, lane %d: %.17g, not %.17g",
                   kernels.name, psf.hsizex, psf.hsizey, psf.ghdegx, psf.ghdegy, k, value,
                   expected);
        worst = std::max(worst, std::abs(value - expected));
      }
  }
  return worst;
}

void simd_spots_of_every_size_and_degree_are_the_scalar_rule(void **) {
  const int sizes[][2] = {{1, 1}, {2, 2}, {2, 5}, {3, 4}, {4, 4},
                          {5, 3}, {6, 2}, {8, 5}, {9, 9}, {12, 7}};
  const int degrees[][2] = {{0, 0}, {1, 0}, {0, 1}, {2, 3}, {4, 4},
                            {6, 6}, {6, 5}, {8, 0}, {0, 8}, {8, 8}};
  for (const simd::Kernels *kernels : all_kernels()) {
    Random random(3);
    double worst = 0.0;
    for (const auto &size : sizes)
      for (const auto &degree : degrees) {
        const specex::Psf psf = make_psf(size[0], size[1], degree[0], degree[1], random);
        worst = std::max(worst, check_stamps(*kernels, psf, random));
      }
    print_message("%s: spots within %.1e\n", kernels->name, worst);
  }
}

// Also where pixels are so wide that they are integrated otherwise, in some lanes or all.
void simd_spots_of_every_width_are_the_scalar_rule(void **) {
  const double sigmas[] = {0.1, 0.3, 0.6, 0.75, 0.79, 0.8, 0.81, 0.85, 1.5, 3.0, 10.0};
  const int shapes[][4] = {{8, 5, 6, 6}, {3, 9, 0, 12}, {14, 30, 4, 2}, {20, 4, 14, 3}};
  for (const simd::Kernels *kernels : all_kernels()) {
    Random random(6);
    double worst = 0.0;
    for (const auto &[hx, hy, dx, dy] : shapes)
      for (const double sigma_x : sigmas)
        for (const double sigma_y : sigmas) {
          const specex::Psf psf = make_psf(hx, hy, dx, dy, random, sigma_x, sigma_y);
          // Positions are rounded to 3e-14 of a pixel.
          const double narrowest = std::min({1.0, sigma_x, sigma_y});
          worst = std::max(worst, check_stamps(*kernels, psf, random, 1e-14 / narrowest));
        }
    print_message("%s: spots of every width within %.1e\n", kernels->name, worst);
  }
}

void simd_spots_are_taken_from_stamps_and_placed_again(void **) {
  for (const simd::Kernels *kernels : all_kernels())
    for (const int nx : {1, 3, 7, 9, 15, 17, 25}) {
      Random random(12);
      const simd::StampLayout layout = layout_of(nx, 4);
      std::array<int, width> shift{};
      for (int &columns : shift) columns = random.below(width);
      std::vector<double> stamps(at(width * layout.size), 0.0);
      std::vector<double> expected;
      std::vector<double> placed(stamps.size(), nan);
      double *from[width];
      double *to[width];
      for (int k = 0; k < width; ++k) {
        from[k] = &stamps[at(k * layout.size)];
        to[k] = &placed[at(k * layout.size)];
        for (int r = 0; r < layout.ny; ++r)
          for (int c = 0; c < nx; ++c) {
            expected.push_back(random.normal());
            from[k][r * layout.row + shift[at(k)] + c] = expected.back();
          }
      }
      std::vector<double> spots(expected.size(), nan);
      kernels->take_spots(layout, from, shift.data(), spots.data());
      assert_true(spots == expected);
      kernels->place_spots(layout, spots.data(), shift.data(), to);
      assert_true(placed == stamps);
    }
}

void add_tail(specex::Psf &psf, const std::array<double, 5> &parameters, double slope) {
  const char *const names[] = {"TAILAMP", "TAILCORE", "TAILXSCA", "TAILYSCA", "TAILINDE"};
  for (size_t k = 0; k < parameters.size(); ++k)
    psf.parameters.emplace_back(names[k], series({parameters[k], slope, -slope}));
}

void simd_tails_are_the_scalar_rule(void **) {
  const std::array<double, 5> tails[] = {
      {0.01, 1.5, 1.0, 0.9, 2.2},  {0.5, 0.7, 1.1, 1.0, 3.0}, {-0.02, 1.0, 1.0, 1.2, 2.0},
      {0.01, 1.0, 1.0, 1.0, 0.0},  {0.01, 1.0, 1.0, 1.0, -1}, {0.01, 1.0, 1.0, 1.0, -2.0},
      {0.01, 1.0, 1.0, 1.0, -5.0}, {0.01, 3.0, 1.0, 1.0, 20}, {0.01, 0.3, 1.0, 1.0, 2.5},
      {0.01, 1.5, 0.0, 1.0, 2.2},  {1e-9, 1.5, 1.0, 1.0, 2.2}};
  const int shapes[][4] = {{4, 4, 6, 6}, {8, 5, 6, 6}, {3, 4, 2, 3}, {1, 1, 0, 0}};
  for (const simd::Kernels *kernels : all_kernels()) {
    Random random(5);
    double worst = 0.0;
    for (const auto &[hx, hy, dx, dy] : shapes)
      for (const auto &tail : tails)
        for (const double slope : {0.0, 0.003}) {
          specex::Psf psf = make_psf(hx, hy, dx, dy, random);
          add_tail(psf, tail, slope);
          worst = std::max(worst, check_stamps(*kernels, psf, random));
        }
    print_message("%s: spots with tails within %.1e\n", kernels->name, worst);
  }
}

// Whether a spot is 0 is the scalar rule's to say, also where only its central pixel has
// no number.
void simd_tails_of_nonsense_are_as_the_scalar_rule_has_them(void **) {
  struct {
    std::array<double, 5> tail;
    bool zero;
  } const cases[] = {
      {{0.01, 0.0, 1.0, 1.0, 2.2}, true},  // 0 times infinity
      {{0.01, 0.0, 1.0, 1.0, 0.0}, true},
      {{0.01, 0.0, 1.0, 1.0, -1.0}, true},
      {{0.01, 0.0, 1.0, 1.0, -2.0}, false},  // 0 to the power of 0 is 1
      {{0.01, 0.0, 1.0, 1.0, -3.0}, false},
      {{0.01, 0.0, 0.0, 0.0, 2.0}, true},
      {{0.01, 1.0, 1e100, 1.0, 2.0}, false},
      {{0.01, 1.0, 1e153, 1e153, 0.0}, false},  // the power is subnormal
      {{0.01, 1e153, 1e153, 1.0, 0.0}, false},
      {{0.01, 1e-160, 1e-160, 1e-160, 0.0}, true},  // the power is infinite
      {{0.01, 1e-160, 1e-160, 1e-160, -1.0}, false},
      {{0.01, 1.0, 1e200, 1.0, 2.0}, true},
      {{0.01, 1e200, 1.0, 1.0, 2.0}, false},
      {{0.01, 1e200, 1.0, 1.0, -4.0}, true},
      {{0.01, 1.0, 1.0, 1.0, 1e300}, false},
      {{0.01, 1.0, 1.0, 1.0, -1e300}, true},
      {{0.01, 1.0, 1.0, 1.0, -HUGE_VAL}, true},
      {{0.01, 1.0, 0.0, 0.0, nan}, false},  // 1 to any power is 1
      {{0.01, nan, 1.0, 1.0, -2.0}, false},
      {{HUGE_VAL, 1.0, 1.0, 1.0, 2.0}, true},
      {{-1e300, 1.0, 1.0, 1.0, 2.0}, false},
      {{nan, 1.0, 1.0, 1.0, 2.0}, true},
      {{0.01, nan, 1.0, 1.0, 2.0}, true},
      {{0.01, 1.0, nan, 1.0, 2.0}, true},
      {{0.01, 1.0, 1.0, nan, 2.0}, true},
      {{0.01, 1.0, 1.0, 1.0, nan}, true},
  };
  for (const simd::Kernels *kernels : all_kernels())
    for (const auto &[tail, zero] : cases) {
      Random random(9);
      specex::Psf psf = make_psf(4, 3, 6, 6, random);
      psf.xtrace = series({31.0, 0.0});  // the centre of a pixel
      psf.ytrace = series({120.0, 0.0});
      add_tail(psf, tail, 0.0);
      std::vector<double> spot(at(psf.spot_nx() * psf.spot_ny()));
      specex::GaussHermiteSpots(psf).evaluate(0, 50.0, spot.data());
      const double total = std::accumulate(spot.begin(), spot.end(), 0.0);
      if ((total == 0.0) != zero)
        fail_msg("tail %g %g %g %g %g: the spot's sum is %g", tail[0], tail[1], tail[2],
                 tail[3], tail[4], total);
      check_stamps(*kernels, psf, random);
    }
}

// The lanes beside one whose parameters make no sense do not notice.
void simd_spots_of_nonsense_are_zero_in_their_lane_alone(void **) {
  for (const simd::Kernels *kernels : all_kernels())
    for (const double sigma : {0.0, nan, HUGE_VAL, -HUGE_VAL}) {
      Random random(8);
      const specex::Psf psf = make_psf(4, 3, 4, 4, random);
      FiberTables tables(psf);
      // A series in two functions: 1, and one that is 1 in lane 3 only.
      const int ncoef = psf.find("GHSIGX")->ncoef;
      Basis shape(*psf.find("GHSIGX"), 50.0);
      std::vector<double> sigma_x(at(ncoef), 0.0);
      sigma_x[0] = 1.0;
      for (int bin = 0; bin < 16; ++bin) shape.values[at(bin)] = bin == 3 ? sigma : 1.0;
      for (int k = 1; k < ncoef; ++k)
        for (int bin = 0; bin < 16; ++bin) shape.values[at(k * 16 + bin)] = 0.0;
      simd::FiberPsf view = tables.view();
      view.sigma_x = sigma_x.data();
      const Basis x(psf.xtrace, 50.0);
      const Basis y(psf.ytrace, 50.0);
      int corner_x[width];
      int corner_y[width];
      for (int k = 0; k < width; ++k) {
        const specex::Corner corner = specex::spot_corner(psf, psf.xtrace.at(0, 50.0 + k),
                                                          psf.ytrace.at(0, 50.0 + k));
        corner_x[k] = corner.x;
        corner_y[k] = corner.y;
      }
      const int size = layout_of(psf.spot_nx(), psf.spot_ny()).size;
      std::vector<double> stamps(at(size * width), nan);
      double *pointers[width];
      for (int k = 0; k < width; ++k) pointers[k] = &stamps[at(k * size)];
      const int shift[width] = {};
      std::vector<double> scratch(kernels->spot_scratch(view), nan);
      kernels->evaluate_spots(view, {x, y, shape}, 0, corner_x, corner_y, shift, pointers,
                              scratch.data());
      for (int k = 0; k < width; ++k) {
        const double total = std::accumulate(pointers[k], pointers[k] + size, 0.0);
        if (k == 3)
          assert_near(total, 0.0, 0.0);
        else
          assert_near(total, 1.0, 1e-13);
      }
    }
}

// ------------------------------------------------------------------ pixels

template <class T>
void check_cleaned(const simd::Kernels &kernels,
                   double (*clean_row)(const T *, const T *, ptrdiff_t, double *,
                                       double *, float *)) {
  constexpr T infinity = std::numeric_limits<T>::infinity();
  constexpr T no_number = std::numeric_limits<T>::quiet_NaN();
  const T kinds[] = {T{0},
                     T{-0.0},
                     T{3},
                     T{-2},
                     infinity,
                     -infinity,
                     no_number,
                     std::numeric_limits<T>::max(),
                     std::numeric_limits<T>::min()};
  std::vector<T> pixels;
  std::vector<T> ivar;
  for (const T value : kinds)
    for (const T weight : kinds) {
      pixels.push_back(value);
      ivar.push_back(weight);
    }
  for (const size_t count : {pixels.size(), size_t{8}, size_t{5}, size_t{0}}) {
    std::vector<double> values(count + 1, 7.0);
    std::vector<double> weights(count + 1, 7.0);
    std::vector<float> float_weights(count + 1, 7.0F);
    const double largest =
        clean_row(pixels.data(), ivar.data(), static_cast<ptrdiff_t>(count),
                  values.data(), weights.data(), float_weights.data());
    double expected = 0.0;
    for (size_t k = 0; k < count; ++k) {
      const specex::Pixel pixel =
          specex::clean(static_cast<double>(pixels[k]), static_cast<double>(ivar[k]));
      assert_true(values[k] == pixel.value);
      assert_true(weights[k] == pixel.weight);
      assert_true(float_weights[k] == static_cast<float>(pixel.weight));
      expected = std::max(expected, pixel.weight);
    }
    assert_true(largest == expected);
    if (values[count] != 7.0 || weights[count] != 7.0 || float_weights[count] != 7.0F)
      fail_msg("%s: written beyond the row", kernels.name);
  }
}

void simd_rows_are_cleaned_by_the_scalar_rule(void **) {
  for (const simd::Kernels *kernels : all_kernels()) {
    check_cleaned(*kernels, kernels->clean_floats);
    check_cleaned(*kernels, kernels->clean_doubles);
  }
}

// ------------------------------------------------------------------ normal equations

// Random stamps of one fibre, with room around them in the strip: along a trace, or as
// wild as they may be.
struct Fiber {
  Fiber(const simd::StampLayout &given, int nbin, int column, bool wild, Random &random)
      : layout(given) {
    double y = 4.0 + 2.0 * random.uniform();
    for (int w = 0; w < nbin; ++w) {
      const bool aside = wild ? random.below(4) == 0 : w >= 25;
      x0.push_back(column + (aside ? width * (random.below(3) - 1) : 0));
      y0.push_back(static_cast<int>(y));
      y += wild ? random.below(3) : 1.42;
    }
    x0.resize(at(nbin + width));  // where vectors read
    y0.resize(at(nbin + width));
    spots.assign(at(layout.size) * at(nbin), 0.0);
    for (int w = 0; w < nbin; ++w) {
      const int shift = random.below(width);
      for (int r = 0; r < layout.ny; ++r)
        for (int c = 0; c < layout.nx; ++c)
          spots[at(w * layout.size + r * layout.row + shift + c)] =
              static_cast<double>(static_cast<float>(random.uniform()));
    }
    kept.assign(at(layout.row), 0.0F);  // zeros before the first, too
    kept.insert(kept.end(), spots.begin(), spots.end());
  }
  const float *stamps() const { return kept.data() + layout.row; }
  double value(int w, int y, int x) const {
    const int r = y - y0[at(w)];
    const int c = x - x0[at(w)];
    return r >= 0 && r < layout.ny && c >= 0 && c < layout.row
               ? spots[at(w * layout.size + r * layout.row + c)]
               : 0.0;
  }
  simd::StampLayout layout;
  std::vector<int> x0;
  std::vector<int> y0;
  std::vector<double> spots;  // exact in float
  std::vector<float> kept;
};

struct Pixels {
  Pixels(int given_nx, int given_ny, Random &random) : nx(given_nx), ny(given_ny) {
    for (int k = 0; k < nx * ny; ++k) {
      weights.push_back(random.below(20) == 0 ? 0.0 : random.uniform());
      values.push_back(weights.back() == 0.0 ? 0.0 : 10.0 * random.normal());
    }
    float_weights.assign(weights.begin(), weights.end());
  }
  simd::Strip strip() const {
    return {values.data(), weights.data(), float_weights.data(), nx, xmin, ymin};
  }
  // sum of weight * term(y, x) over the pixels of a stamp, beyond which term is 0
  double sum(const Fiber &fiber, int w,
             const std::function<double(int, int)> &term) const {
    double total = 0.0;
    for (int r = 0; r < fiber.layout.ny; ++r)
      for (int c = 0; c < fiber.layout.row; ++c) {
        const int y = fiber.y0[at(w)] + r;
        const int x = fiber.x0[at(w)] + c;
        total += weights[index(y, x)] * term(y, x);
      }
    return total;
  }
  size_t index(int y, int x) const { return at((y - ymin) * nx + x - xmin); }
  int nx;
  int ny;
  int xmin = -16;
  int ymin = -5;
  std::vector<double> values;
  std::vector<double> weights;
  std::vector<float> float_weights;
};

// What a fibre's block is given and writes; all that must be written starts as NaN.
struct BlockCase {
  BlockCase(const Fiber &given, int given_nbin, int half_band, int first_lag, int nlag)
      : own(given),
        nbin(given_nbin),
        ring(at(own.layout.row), 0.0),
        kept(at(own.layout.row), 0.0F),
        band(at(nbin * round_up(half_band + 1)), nan),
        cross(at(nbin * round_up(nlag) + 2 * width), 0.0F),
        data(at(nbin), nan),
        weight(data),
        masked(data),
        coupling(data),
        edge(data),
        scale(data),
        left(at(nbin), -1000),
        right(at(nbin), 1000),
        block{} {
    ring.insert(ring.end(), own.spots.begin(), own.spots.end());
    kept.resize(own.kept.size(), 9.0F);
    block.layout = own.layout;
    block.ring = ring.data() + own.layout.row;
    block.ring_size = ring_size;
    block.nbin = nbin;
    block.half_band = half_band;
    block.band_stride = round_up(half_band + 1);
    block.first_lag = first_lag;
    block.nlag = nlag;
    block.lag_stride = round_up(nlag);
    block.kept = kept.data() + own.layout.row;
    block.own = {block.kept, own.x0.data(), own.y0.data()};
    block.band = band.data();
    block.cross = cross.data() + width;
    block.data = data.data();
    block.weight = weight.data();
    block.masked = masked.data();
    block.scale = scale.data();
    block.left_x = left.data();
    block.right_x = right.data();
    block.far_coupling = coupling.data();
    block.edge_share = edge.data();
  }
  void run(const simd::Kernels &kernels) {
    for (const int end : part_ends(nbin)) {
      block.first = block.end;
      block.end = end;
      kernels.fiber_block(block);
    }
  }
  static std::array<int, 4> part_ends(int nbin) { return {0, 1, 8, nbin}; }
  // The first of the bins that are worked on together with w.
  static int first_with(int w) { return w == 0 ? 0 : w < 8 ? 1 : w / width * width; }
  static int end_with(int w, int nbin) {
    return w == 0 ? 1 : std::min((w / width + 1) * width, nbin);
  }
  static constexpr int ring_size = 32;
  const Fiber &own;
  int nbin;
  std::vector<double> ring;
  std::vector<float> kept;
  std::vector<double> band;
  std::vector<float> cross;
  std::vector<double> data, weight, masked, coupling, edge, scale;
  std::vector<int> left, right;
  simd::FiberBlock block;
};

simd::FiberStamps stamps_of(const Fiber &fiber) {
  return {fiber.stamps(), fiber.x0.data(), fiber.y0.data()};
}

void simd_fibers_own_rows_are_the_sums_over_pixels(void **) {
  constexpr int nbin = 31;
  for (const simd::Kernels *kernels : all_kernels())
    for (const auto &[half_band, wild] : {std::pair(7, false), {8, false}, {15, true}})
      for (const auto &[nx, ny] : {std::pair(5, 5), {9, 7}, {17, 11}, {25, 4}}) {
        Random random(static_cast<uint64_t>(half_band * 100 + nx));
        const simd::StampLayout layout = layout_of(nx, ny);
        const Pixels pixels(112, 96, random);
        const Fiber own(layout, nbin, 16, wild, random);
        const Fiber far(layout, nbin, 24, wild, random);
        BlockCase given(own, nbin, half_band, 0, 0);
        const int band_stride = given.block.band_stride;
        std::vector<double> far_scale;
        for (int w = 0; w < nbin; ++w) far_scale.push_back(1.0 + w);
        for (int w = 0; w < nbin; ++w) {
          given.left[at(w)] = own.x0[at(w)] - 3 + random.below(layout.row);
          given.right[at(w)] = own.x0[at(w)] + random.below(layout.row + 4);
        }
        given.block.strip = pixels.strip();
        given.block.far = stamps_of(far);
        given.block.far_scale = far_scale.data();
        given.run(*kernels);
        const auto &[kept, band, data, weight, masked, coupling, edge, left, right] =
            std::tie(given.kept, given.band, given.data, given.weight, given.masked,
                     given.coupling, given.edge, given.left, given.right);
        for (int w = 0; w < nbin; ++w) {
          const auto spot = [&](int y, int x) { return own.value(w, y, x); };
          const double diagonal =
              pixels.sum(own, w, [&](int y, int x) { return spot(y, x) * spot(y, x); });
          assert_near(weight[at(w)], pixels.sum(own, w, spot), 1e-12);
          assert_near(data[at(w)],
                      pixels.sum(own, w,
                                 [&](int y, int x) {
                                   return spot(y, x) *
                                          pixels.values[at((y - pixels.ymin) * pixels.nx +
                                                           x - pixels.xmin)];
                                 }),
                      1e-11);
          double without = 0.0;
          for (int r = 0; r < layout.ny; ++r)
            for (int c = 0; c < layout.row; ++c) {
              const int y = own.y0[at(w)] + r;
              const int x = own.x0[at(w)] + c;
              if (pixels.weights[pixels.index(y, x)] == 0.0) without += spot(y, x);
            }
          assert_near(masked[at(w)], without, 1e-12);
          for (int m = 0; m < band_stride; ++m) {
            const double expected =
                w + m >= nbin ? 0.0 : pixels.sum(own, w, [&](int y, int x) {
                  return spot(y, x) * own.value(w + m, y, x);
                });
            assert_near(band[at(w * band_stride + m)], expected,
                        1e-12 * (1.0 + expected));
          }
          const auto share = [&](const std::function<bool(int)> &counts) {
            return pixels.sum(own, w, [&](int y, int x) {
              return counts(x) ? spot(y, x) * spot(y, x) : 0.0;
            }) / diagonal;
          };
          assert_near(edge[at(w)],
                      std::max(share([&](int x) { return x < left[at(w)]; }),
                               share([&](int x) { return x >= right[at(w)]; })),
                      1e-12);
          assert_near(given.scale[at(w)], 1.0 / std::sqrt(diagonal), 1e-12);
          const int first = BlockCase::first_with(w);
          const auto level =
              std::lower_bound(far.y0.begin(), far.y0.begin() + nbin, own.y0[at(first)]) -
              far.y0.begin();
          // The first bin is measured, and stands for the others with their scales.
          const int closest = static_cast<int>(level);
          double seen = 0.0;
          for (int v = closest; v < std::min(closest + width, nbin); ++v)
            seen = std::max(seen, pixels.sum(own, first, [&](int y, int x) {
              return own.value(first, y, x) * far.value(v, y, x);
            }) * (1.0 + v));
          seen *= *std::max_element(given.scale.begin() + first,
                                    given.scale.begin() + BlockCase::end_with(w, nbin));
          assert_near(coupling[at(w)], seen, 1e-6 * seen);
          for (int p = 0; p < layout.row * layout.ny; ++p)
            assert_true(kept[at(layout.row + w * layout.size + p)] ==
                        own.stamps()[w * layout.size + p]);
        }
      }
}

void simd_couplings_are_the_sums_over_pixels(void **) {
  constexpr int nbin = 31;
  for (const simd::Kernels *kernels : all_kernels())
    for (const auto &[first_lag, nlag] : {std::pair(-3, 7), {-10, 20}, {2, 1}, {-20, 48}})
      for (const auto &[nx, ny] : {std::pair(5, 5), {9, 7}, {17, 11}, {25, 4}}) {
        const bool wild = nlag == 48;
        Random random(static_cast<uint64_t>(nlag * 100 + nx));
        const simd::StampLayout layout = layout_of(nx, ny);
        const Pixels pixels(112, 96, random);
        const Fiber own(layout, nbin, 16, wild, random);
        const Fiber next(layout, nbin, 24, wild, random);
        BlockCase given(own, nbin, 8, first_lag, nlag);
        given.block.strip = pixels.strip();
        given.block.next = stamps_of(next);
        given.run(*kernels);
        for (int w = 0; w < nbin; ++w)
          for (int l = 0; l < round_up(nlag); ++l) {
            const int v = w + first_lag + l;
            const double expected =
                l >= nlag || v < 0 || v >= nbin
                    ? 0.0
                    : pixels.sum(own, w, [&](int y, int x) {
                        return own.value(w, y, x) * next.value(v, y, x);
                      });
            assert_near(given.block.cross[w * round_up(nlag) + l], expected,
                        1e-6 * (1.0 + expected));
          }
      }
}

void simd_overlaps_of_kept_stamps_are_the_sums_over_pixels(void **) {
  constexpr int nbin = 12;
  for (const simd::Kernels *kernels : all_kernels())
    for (const auto &[nx, ny] : {std::pair(5, 5), {9, 7}, {17, 11}, {25, 4}}) {
      Random random(static_cast<uint64_t>(nx));
      const simd::StampLayout layout = layout_of(nx, ny);
      const Pixels pixels(112, 96, random);
      const Fiber f(layout, nbin, 16, true, random);
      const Fiber g(layout, nbin, 24, true, random);
      for (int w = 0; w < nbin; ++w) {
        std::vector<double> weighted(at(layout.size), nan);
        const int first_row = random.below(ny + 1);
        const int end_row = first_row + random.below(ny + 1 - first_row);
        const simd::StampSums sums = kernels->weigh_stamp(
            layout, pixels.strip(), f.stamps() + w * layout.size, f.x0[at(w)],
            f.y0[at(w)], first_row, end_row, weighted.data());
        const auto inside = [&](int y, int x) {
          const int r = y - f.y0[at(w)];
          return r >= first_row && r < end_row ? f.value(w, y, x) : 0.0;
        };
        assert_near(sums.weight, pixels.sum(f, w, inside), 1e-12 * (1.0 + sums.weight));
        const double data = pixels.sum(f, w, [&](int y, int x) {
          return inside(y, x) * pixels.values[pixels.index(y, x)];
        });
        assert_near(sums.data, data, 1e-10);
        const double usable = pixels.sum(f, w, [&](int y, int x) {
          const double weight = pixels.weights[pixels.index(y, x)];
          return weight > 0.0 ? inside(y, x) / weight : 0.0;
        });
        assert_near(sums.usable, usable, 1e-12 * (1.0 + usable));
        for (int v = 0; v < nbin; ++v) {
          const double sum = kernels->overlap_stamps(
              layout, weighted.data(), g.stamps() + v * layout.size,
              g.x0[at(v)] - f.x0[at(w)], g.y0[at(v)] - f.y0[at(w)], first_row, end_row);
          const double expected = pixels.sum(
              f, w, [&](int y, int x) { return inside(y, x) * g.value(v, y, x); });
          assert_near(sum, expected, 1e-12 * (1.0 + expected));
        }
      }
    }
}

void simd_canvases_hold_what_is_added_and_nothing_else(void **) {
  for (const simd::Kernels *kernels : all_kernels())
    for (const auto &[nx, ny] : {std::pair(5, 5), {9, 7}, {17, 11}, {25, 4}}) {
      Random random(static_cast<uint64_t>(nx));
      const simd::StampLayout layout = layout_of(nx, ny);
      const Fiber f(layout, 1, 16, true, random);
      const ptrdiff_t stride = layout.row + 24;
      std::vector<double> canvas(at(stride * ny));
      for (double &pixel : canvas) pixel = random.normal();
      const std::vector<double> start = canvas;
      std::vector<double> expected = canvas;
      double dot = 0.0;
      const int end = ny - 1;
      for (int r = 1; r < end; ++r)
        for (int c = 0; c < layout.row; ++c) {
          const double spot = f.spots[at(r * layout.row + c)];
          dot += spot * canvas[at(r * stride + 8 + c)];
          expected[at(r * stride + 8 + c)] += 3.7 * spot;
        }
      const int x0 = 8;
      const int y0 = 0;
      const double flux = 3.7;
      const simd::FiberLight light{layout, f.stamps(), &x0, &y0, &flux, 1};
      const simd::Canvas pixels{canvas.data() + stride, stride, 0, 1, end};
      double sum = 0.0;
      kernels->dot_stamps(light, pixels, &sum);
      assert_near(sum, dot, 1e-12);
      std::vector<double> first = canvas;
      std::vector<double> second = canvas;
      kernels->add_light(light, pixels);
      const double none = 0.0;
      const auto on = [&](std::vector<double> &other) {
        return simd::Canvas{other.data() + stride, stride, 0, 1, end};
      };
      kernels->add_two_lights({layout, f.stamps(), &x0, &y0, &none, 1}, on(first), &flux,
                              on(second));
      for (size_t k = 0; k < canvas.size(); ++k) {
        assert_near(canvas[k], expected[k], 1e-14);
        assert_near(second[k], expected[k], 1e-14);
        assert_true(first[k] == start[k]);
      }
    }
}

void simd_chi2_of_rows_is_the_scalar_rule(void **) {
  for (const simd::Kernels *kernels : all_kernels())
    for (const double psferr : {0.0, 0.01, 0.3})
      for (const double scale : {1.0, 0x1p-80, 0x1p90}) {
        Random random(4);
        constexpr int count = 64;
        std::vector<double> values(count), weights(count), canvas(count);
        for (size_t k = 0; k < count; ++k) {
          weights[k] = k % 7 == 0 ? 0.0 : random.uniform();
          values[k] = weights[k] == 0.0 ? 0.0 : 100.0 * random.normal();
          canvas[k] = k % 11 == 0 ? 0.0 : 100.0 * random.normal();
        }
        std::vector<double> scaled = weights;
        for (double &weight : scaled) weight *= scale;
        std::vector<double> chi2 = canvas;
        kernels->chi2_row(count, values.data(), scaled.data(), scale, psferr,
                          chi2.data());
        for (size_t k = 0; k < count; ++k) {
          const double expected =
              specex::pixel_chi2(values[k], weights[k], canvas[k], psferr);
          if (weights[k] == 0.0) assert_near(chi2[k], 0.0, 0.0);
          assert_near(chi2[k], expected, 1e-14 * (1.0 + expected));
        }
      }
}

void simd_interleave_transposes(void **) {
  for (const simd::Kernels *kernels : all_kernels())
    for (const int count : {1, 7, 8, 9, 16, 31, 48}) {
      std::vector<std::vector<double>> from(width);
      const double *pointers[width];
      for (int lane = 0; lane < width; ++lane) {
        for (int k = 0; k < round_up(count); ++k)
          from[at(lane)].push_back(100.0 * lane + k);
        pointers[lane] = from[at(lane)].data();
      }
      std::vector<double> to(at(round_up(count) * width), nan);
      kernels->interleave(pointers, count, to.data());
      for (int k = 0; k < count; ++k)
        for (int lane = 0; lane < width; ++lane)
          assert_near(to[at(k * width + lane)], 100.0 * lane + k, 0.0);
    }
}

void simd_deinterleave_goes_back_and_no_further(void **) {
  constexpr double untouched = -7.0;
  for (const simd::Kernels *kernels : all_kernels())
    for (const int count : {1, 7, 8, 9, 16, 31, 48}) {
      std::vector<double> from(at(round_up(count) * width));
      for (size_t k = 0; k < from.size(); ++k) from[k] = static_cast<double>(k);
      std::vector<std::vector<double>> to(width,
                                          std::vector<double>(at(count + 8), untouched));
      double *pointers[width];
      for (int lane = 0; lane < width; ++lane) pointers[lane] = to[at(lane)].data();
      kernels->deinterleave(from.data(), count, 3.0, pointers);
      for (int lane = 0; lane < width; ++lane)
        for (int k = 0; k < count + 8; ++k)
          assert_near(to[at(lane)][at(k)],
                      k < count ? 3.0 * from[at(k * width + lane)] : untouched, 0.0);
    }
}

// ------------------------------------------------------------------ algebra

// 8 random systems: bins overlap like Gaussians, fibres are coupled by about `coupling`.
struct Systems {
  Systems(int nfiber, int nbin, int half_band, int first_lag, int nlag, double coupling,
          uint64_t seed) {
    Random random(seed);
    const auto unknowns = at(nfiber) * at(nbin);
    band.assign(unknowns * at(half_band + 1) * width, 0.0);
    cross.assign(unknowns * at(nlag) * width, 0.0);
    data.assign(unknowns * width, 0.0);
    std::vector<double> scale(unknowns * width);
    for (double &value : scale) value = std::pow(10.0, 0.5 * random.normal());
    for (size_t lane = 0; lane < width; ++lane)
      for (int f = 0; f < nfiber; ++f)
        for (int w = 0; w < nbin; ++w) {
          const size_t q = at(f) * at(nbin) + at(w);
          const double own = scale[q * width + lane];
          data[q * width + lane] = own * 50.0 * random.normal();
          for (int m = 0; m <= half_band && w + m < nbin; ++m)
            band[(q * at(half_band + 1) + at(m)) * width + lane] =
                own * scale[(q + at(m)) * width + lane] *
                (m == 0 ? 1.2 : std::exp(-0.5 * m * m / 1.4) * random.uniform());
          if (f + 1 == nfiber) continue;
          for (int l = 0; l < nlag; ++l) {
            const int v = w + first_lag + l;
            if (v < 0 || v >= nbin) continue;
            const double offset = l - 0.5 * (nlag - 1);
            cross[(q * at(nlag) + at(l)) * width + lane] =
                own * scale[(at(f + 1) * at(nbin) + at(v)) * width + lane] * coupling *
                std::exp(-0.5 * offset * offset / 2.0) * random.uniform();
          }
        }
    for (double &value : cross) value = static_cast<float>(value);
    float_cross.assign(cross.begin(), cross.end());
    system = {nfiber,     nbin,        half_band,          first_lag,
              nlag,       band.data(), float_cross.data(), cross.data(),
              data.data()};
  }

  Symmetric dense(size_t lane) const {
    const int nbin = system.nbin;
    Symmetric matrix(system.nfiber * nbin);
    for (int f = 0; f < system.nfiber; ++f)
      for (int w = 0; w < nbin; ++w) {
        const int q = f * nbin + w;
        for (int m = 0; m <= system.half_band && w + m < nbin; ++m)
          matrix(q, q + m) = matrix(q + m, q) =
              band[(at(q) * at(system.half_band + 1) + at(m)) * width + lane];
        for (int l = 0; l < system.nlag && f + 1 < system.nfiber; ++l) {
          const int v = w + system.first_lag + l;
          if (v < 0 || v >= nbin) continue;
          matrix(q, (f + 1) * nbin + v) = matrix((f + 1) * nbin + v, q) =
              cross[(at(q) * at(system.nlag) + at(l)) * width + lane];
        }
      }
    return matrix;
  }

  std::vector<double> band, cross, data;
  std::vector<float> float_cross;  // the same
  simd::BlockSystem system{};
};

// widest: that marginal matrices may be; 0: as the system's.
struct Solved {
  explicit Solved(const simd::Kernels &kernels, const Systems &systems, int room = 0)
      : widest(std::max(room, systems.system.half_band)),
        factors(
            at(systems.system.nfiber) * kernels.factor_size(systems.system.nbin, widest),
            nan),
        from_left(at(systems.system.nfiber) *
                      simd::band_matrix_size(systems.system.nbin, widest),
                  nan),
        from_right(from_left),
        scratch(kernels.elimination_scratch(systems.system, widest), nan),
        flux(systems.data.size(), nan),
        factor_band(at(systems.system.nfiber)),
        left_band(factor_band),
        right_band(factor_band) {
    const simd::Elimination elimination{widest,
                                        factors.data(),
                                        from_left.data(),
                                        from_right.data(),
                                        factor_band.data(),
                                        left_band.data(),
                                        right_band.data(),
                                        scratch.data()};
    good = kernels.eliminate(systems.system, 0xff, elimination, checks);
    std::vector<double> work(3 * flux.size(), nan);
    kernels.solve_flux(systems.system, elimination, flux.data(), work.data(), checks);
  }

  // Element m of a row of what the neighbour before takes, or the next.
  double taken(bool by_next, int nbin, int fiber, int row, int m, size_t lane) const {
    const int band = (by_next ? right_band : left_band)[at(fiber)];
    if (m > band) return 0.0;
    return (by_next ? from_right
                    : from_left)[at(fiber) * simd::band_matrix_size(nbin, widest) +
                                 at(row * (band + 1) + m) * width + lane];
  }

  int widest;
  std::vector<double> factors, from_left, from_right, scratch, flux;
  std::vector<int> factor_band, left_band, right_band;
  simd::Checks checks{};
  int good = 0;
};

// Flux and marginal matrices against dense algebra. The check of the truncation is of
// second order in what is cut off a column; off the diagonal the error is of first order,
// times what the neighbours take.
void check_solution(const simd::Kernels &kernels, const Systems &systems,
                    double largest_truncation, int room = 0) {
  const simd::BlockSystem &system = systems.system;
  const Solved solved(kernels, systems, room);
  assert_int_equal(solved.good, 0xff);
  const int nbin = system.nbin;
  for (size_t lane = 0; lane < width; ++lane) {
    const double truncation = std::sqrt(solved.checks.truncation[lane]);
    const double allowed = 1e-12 + 10.0 * truncation +
                           3.0 * std::sqrt(truncation * solved.checks.coupling[lane]);
    assert_at_most(truncation, largest_truncation);
    assert_at_most(std::sqrt(solved.checks.residual[lane]), 1e-9);
    Symmetric covariance = systems.dense(lane);
    assert_true(specex::invert_by_cholesky(covariance));
    const int n = covariance.n;
    for (int i = 0; i < n; ++i) {
      double flux = 0.0;
      for (int j = 0; j < n; ++j)
        flux += covariance(i, j) * systems.data[at(j) * width + lane];
      assert_near(solved.flux[at(i) * width + lane] / std::sqrt(covariance(i, i)),
                  flux / std::sqrt(covariance(i, i)), 1e-9);
    }
    for (int f = 0; f < system.nfiber; ++f) {
      Symmetric marginal(nbin);
      for (int i = 0; i < nbin; ++i)
        for (int j = 0; j < nbin; ++j)
          marginal(i, j) = covariance(f * nbin + i, f * nbin + j);
      assert_true(specex::invert_by_cholesky(marginal));
      for (int w = 0; w < nbin; ++w)
        for (int v = w; v < nbin; ++v) {
          const int m = v - w;
          double value = 0.0;
          if (m <= system.half_band)
            value =
                systems
                    .band[(at(f * nbin + w) * at(system.half_band + 1) + at(m)) * width +
                          lane];
          if (f > 0) value -= solved.taken(false, nbin, f, w, m, lane);
          if (f + 1 < system.nfiber) value -= solved.taken(true, nbin, f, w, m, lane);
          const auto diagonal = [&](int bin) {
            return systems
                .band[at(f * nbin + bin) * at(system.half_band + 1) * width + lane];
          };
          const double error =
              std::abs(value - marginal(w, v)) / std::sqrt(diagonal(w) * diagonal(v));
          if (!(error <= allowed))
            fail_msg(
                "%s, half band %d, %d fibres: element %d, %d of fibre %d is off by "
                "%.3g; the truncation was said to be %.3g",
                kernels.name, system.half_band, system.nfiber, w, v, f, error,
                truncation);
        }
    }
  }
}

void simd_block_systems_are_solved_as_dense_ones(void **) {
  for (const simd::Kernels *kernels : all_kernels())
    for (const int half_band : simd::half_bands)
      for (const int nfiber : {1, 2, 3, 7})
        for (const int nbin : {1, 3, 24}) {
          const Systems systems(nfiber, nbin, half_band, -3, 8, 1e-3,
                                static_cast<uint64_t>(nfiber * 100 + half_band));
          check_solution(*kernels, systems, 1e-7);
        }
}

void simd_block_systems_without_coupling_fall_apart(void **) {
  for (const simd::Kernels *kernels : all_kernels()) {
    const Systems systems(4, 20, 8, 0, 0, 0.0, 5);
    check_solution(*kernels, systems, 0.0);
  }
}

// However strong the coupling and wide the lags: what is left out is announced.
void simd_block_systems_announce_what_they_truncate(void **) {
  for (const simd::Kernels *kernels : all_kernels())
    for (const int half_band : simd::half_bands)
      for (const double coupling : {1e-2, 0.05, 0.15})
        for (const auto &[first_lag, nlag] : {std::pair(-3, 8), {-12, 25}, {4, 9}})
          check_solution(*kernels,
                         Systems(3, 40, half_band, first_lag, nlag, coupling, 11), 1.0);
}

// Where a lane's neighbours take more than the band holds, they take it with a wider one.
// The other lanes do not notice.
void simd_what_neighbours_take_is_as_wide_as_its_lane_needs(void **) {
  constexpr size_t first_strong = 5;  // lane
  for (const simd::Kernels *kernels : all_kernels())
    for (const int half_band : {7, 8}) {
      constexpr int room = simd::largest_spot_band;
      const Systems weak(4, 60, half_band, -3, 8, 1e-5, 13);
      Systems mixed(4, 60, half_band, -3, 8, 1e-5, 13);
      for (size_t k = 0; k < mixed.cross.size(); ++k)
        if (k % width >= first_strong) {
          mixed.cross[k] *= 1500.0;
          mixed.float_cross[k] = static_cast<float>(mixed.cross[k]);
          mixed.cross[k] = mixed.float_cross[k];
        }
      check_solution(*kernels, mixed, specex::max_truncation, room);
      const Solved alone(*kernels, weak, room);
      const Solved solved(*kernels, mixed, room);
      int widest = 0;
      for (int f = 0; f < 4; ++f) {
        assert_int_equal(alone.left_band[at(f)], half_band);
        widest = std::max({widest, solved.left_band[at(f)], solved.right_band[at(f)]});
        for (int w = 0; w < 60; ++w)
          for (int m = 0; m <= room && w + m < 60; ++m)
            for (size_t lane = 0; lane < first_strong; ++lane)
              for (const bool by_next : {false, true})
                if (by_next ? f < 3 : f > 0)
                  assert_near(solved.taken(by_next, 60, f, w, m, lane),
                              alone.taken(by_next, 60, f, w, m, lane), 0.0);
      }
      assert_true(widest > half_band);
      for (size_t k = 0; k < solved.flux.size(); ++k)
        if (k % width < first_strong) assert_near(solved.flux[k], alone.flux[k], 0.0);
    }
}

void simd_systems_that_are_not_positive_are_told_apart_by_lane(void **) {
  for (const simd::Kernels *kernels : all_kernels())
    for (const int half_band : simd::half_bands) {
      const Systems good(3, 18, half_band, -3, 8, 1e-3, 7);
      Systems bad(3, 18, half_band, -3, 8, 1e-3, 7);
      const auto element = [&](int fiber, int bin, size_t lane) -> double & {
        return bad.band[(at(fiber) * 18 + at(bin)) * at(half_band + 1) * width + lane];
      };
      element(0, 5, 2) = -1.0;
      element(2, 17, 6) = 0.0;
      element(1, 0, 7) = nan;
      const Solved expected(*kernels, good);
      const Solved solved(*kernels, bad);
      assert_int_equal(solved.good, 0xff & ~(1 << 2 | 1 << 6 | 1 << 7));
      for (size_t k = 0; k < solved.flux.size(); ++k)
        if ((solved.good >> (k % width) & 1) != 0)
          assert_near(solved.flux[k], expected.flux[k],
                      1e-10 * (1.0 + std::abs(expected.flux[k])));
    }
}

// A band matrix whose spectrum is known: 2 on the diagonal and -c beside it has the
// eigenvalues 2 - 2 c cos(k pi / (n + 1)).
void simd_positive_above_tells_both_sides_of_the_spectrum(void **) {
  for (const simd::Kernels *kernels : all_kernels())
    for (const int half_band : simd::half_bands)
      for (const int nbin : {1, 2, 5, 60}) {
        std::vector<double> band(at(nbin * (half_band + 1) * width), 0.0);
        double shift[width];
        int expected = 0;
        for (int lane = 0; lane < width; ++lane) {
          const double c = 0.1 * (lane + 2);
          for (int w = 0; w < nbin; ++w) {
            band[at(w * (half_band + 1) * width + lane)] = 2.0;
            if (w + 1 < nbin) band[at((w * (half_band + 1) + 1) * width + lane)] = -c;
          }
          const double smallest = 2.0 - 2.0 * c * std::cos(M_PI / (nbin + 1));
          const bool below = lane % 2 == 0;
          shift[lane] = smallest + (below ? -1e-10 : 1e-10);
          if (below) expected |= 1 << lane;
        }
        std::vector<double> scratch(kernels->square_root_scratch(nbin, half_band));
        assert_int_equal(
            kernels->positive_above(nbin, half_band, band.data(), shift, scratch.data()),
            expected);
      }
}

void simd_square_roots_are_those_of_dense_matrices(void **) {
  const auto &roots = specex::rational_roots();
  for (const simd::Kernels *kernels : all_kernels())
    for (const int half_band : simd::half_bands)
      for (const int nbin : {1, 4, 40})
        for (const bool last : {false, true}) {
          const int first = last ? nbin / 3 : 0;  // bin that is wanted
          const Systems systems(1, nbin, half_band, 0, 0, 0.0,
                                static_cast<uint64_t>(half_band + nbin));
          double upper[width];
          kernels->bound_spectrum(nbin, half_band, systems.band.data(), upper);
          std::vector<Symmetric> dense;
          for (size_t lane = 0; lane < width; ++lane) {
            dense.push_back(systems.dense(lane));
            double gershgorin = 0.0;
            for (int i = 0; i < nbin; ++i) {
              double sum = 0.0;
              for (int j = 0; j < nbin; ++j) sum += std::abs(dense[lane](i, j));
              gershgorin = std::max(gershgorin, sum);
            }
            assert_near(upper[lane], gershgorin, 1e-14 * gershgorin);
          }
          const int nkeep = half_band - 1;
          std::vector<double> scratch(kernels->square_root_scratch(nbin, half_band), nan);
          const auto covers = [&](const specex::RationalRoot &root) {
            double shift[width];
            for (int lane = 0; lane < width; ++lane)
              shift[lane] = upper[lane] / root.kappa;
            return kernels->positive_above(nbin, half_band, systems.band.data(), shift,
                                           scratch.data()) == 0xff;
          };
          assert_true(covers(roots.back()));
          // Lanes may have different intervals, and numbers of poles.
          const specex::RationalRoot &least =
              *std::find_if(roots.begin(), roots.end(), covers);
          const size_t count = roots.back().shift.size();
          std::vector<double> shifts(count * width, 1.0);
          std::vector<double> weights(count * width, 0.0);
          for (size_t lane = 0; lane < width; ++lane) {
            const specex::RationalRoot &root = lane % 3 == 1 ? roots.back() : least;
            for (size_t k = 0; k < root.shift.size(); ++k) {
              shifts[k * width + lane] = root.shift[k];
              weights[k * width + lane] = root.weight[k];
            }
          }
          const simd::Poles poles{static_cast<int>(count), shifts.data(), weights.data()};
          std::vector<double> row_sum(at(nbin * width), nan);
          std::vector<double> smoothed(at(nbin * width), nan);
          std::vector<double> diagonals(at(nbin * (nkeep + 1) * width), nan);
          kernels->square_root(nbin, half_band, systems.band.data(), upper, poles,
                               systems.data.data(), first, nkeep, row_sum.data(),
                               smoothed.data(), diagonals.data(), scratch.data());
          for (size_t lane = 0; lane < width; ++lane) {
            const Symmetric expected = specex::square_root(dense[lane]);
            const double bound = 1.1 * specex::root_tolerance * std::sqrt(upper[lane]);
            double norm = 0.0;
            for (int i = 0; i < nbin; ++i)
              norm += std::pow(systems.data[at(i) * width + lane], 2);
            for (int i = first; i < nbin; ++i) {
              double sum = 0.0;
              double product = 0.0;
              for (int j = 0; j < nbin; ++j) {
                sum += expected(i, j);
                product += expected(i, j) * systems.data[at(j) * width + lane];
              }
              assert_near(row_sum[at(i) * width + lane], sum, bound * std::sqrt(nbin));
              assert_near(smoothed[at(i) * width + lane], product,
                          bound * std::sqrt(norm));
              for (int m = 0; m <= nkeep && i + m < nbin; ++m)
                assert_near(diagonals[at(m * nbin + i) * width + lane],
                            expected(i, i + m), bound);
            }
          }
        }
}

void simd_half_bands_are_served_by_the_next_larger(void **) {
  assert_int_equal(simd::half_band_for(0), simd::half_bands[0]);
  for (const int half_band : simd::half_bands) {
    assert_int_equal(simd::half_band_for(half_band), half_band);
    assert_true(simd::half_band_for(half_band - 1) <= half_band);
  }
  assert_int_equal(simd::half_band_for(11), 12);
  assert_int_equal(simd::half_band_for(simd::largest_half_band + 1), 0);
}

}  // namespace

int main() {
  const CMUnitTest tests[] = {
      cmocka_unit_test(simd_spots_of_every_size_and_degree_are_the_scalar_rule),
      cmocka_unit_test(simd_spots_of_every_width_are_the_scalar_rule),
      cmocka_unit_test(simd_spots_are_taken_from_stamps_and_placed_again),
      cmocka_unit_test(simd_tails_are_the_scalar_rule),
      cmocka_unit_test(simd_tails_of_nonsense_are_as_the_scalar_rule_has_them),
      cmocka_unit_test(simd_spots_of_nonsense_are_zero_in_their_lane_alone),
      cmocka_unit_test(simd_rows_are_cleaned_by_the_scalar_rule),
      cmocka_unit_test(simd_fibers_own_rows_are_the_sums_over_pixels),
      cmocka_unit_test(simd_couplings_are_the_sums_over_pixels),
      cmocka_unit_test(simd_overlaps_of_kept_stamps_are_the_sums_over_pixels),
      cmocka_unit_test(simd_canvases_hold_what_is_added_and_nothing_else),
      cmocka_unit_test(simd_chi2_of_rows_is_the_scalar_rule),
      cmocka_unit_test(simd_interleave_transposes),
      cmocka_unit_test(simd_deinterleave_goes_back_and_no_further),
      cmocka_unit_test(simd_block_systems_are_solved_as_dense_ones),
      cmocka_unit_test(simd_block_systems_without_coupling_fall_apart),
      cmocka_unit_test(simd_block_systems_announce_what_they_truncate),
      cmocka_unit_test(simd_what_neighbours_take_is_as_wide_as_its_lane_needs),
      cmocka_unit_test(simd_systems_that_are_not_positive_are_told_apart_by_lane),
      cmocka_unit_test(simd_positive_above_tells_both_sides_of_the_spectrum),
      cmocka_unit_test(simd_square_roots_are_those_of_dense_matrices),
      cmocka_unit_test(simd_half_bands_are_served_by_the_next_larger),
  };
  return cmocka_run_group_tests(tests, nullptr, nullptr);
}
