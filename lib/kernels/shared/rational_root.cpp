// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/shared/rational_root.hpp"

#include <algorithm>
#include <cmath>

namespace specex {
namespace {

// Jacobi's sn, cn, dn of u for the complementary parameter m1 = 1 - m, by the descending
// Landen transformation (Abramowitz & Stegun 16.4). m1 is given because m is close to 1.
struct Elliptic {
  double sn;
  double cn;
  double dn;
};

// The arithmetic-geometric mean's sequence from (1, sqrt(m1)).
struct MeanSequence {
  std::vector<double> a;
  std::vector<double> c;  // c_n / a_n is what the transformation needs

  explicit MeanSequence(double m1) {
    double mean = 1.0;
    double geometric = std::sqrt(m1);
    double difference = std::sqrt(1.0 - m1);
    for (int n = 0; n < 40; ++n) {
      a.push_back(mean);
      c.push_back(difference);
      if (difference < 1e-16 * mean) break;
      difference = 0.5 * (mean - geometric);
      const double next = 0.5 * (mean + geometric);
      geometric = std::sqrt(mean * geometric);
      mean = next;
    }
  }
  double quarter_period() const { return M_PI / (2.0 * a.back()); }
};

Elliptic jacobi(const MeanSequence &mean, double u, double m1) {
  const size_t last = mean.a.size() - 1;
  double phi = std::ldexp(mean.a[last] * u, static_cast<int>(last));
  for (size_t n = last; n >= 1; --n)
    phi = 0.5 * (phi + std::asin(mean.c[n] / mean.a[n] * std::sin(phi)));
  const double sn = std::sin(phi);
  const double cn = std::cos(phi);
  return {sn, cn, std::sqrt(cn * cn + m1 * sn * sn)};  // dn^2 = 1 - m sn^2
}

double evaluate(const RationalRoot &root, double x) {
  double sum = 0.0;
  for (size_t k = 0; k < root.shift.size(); ++k)
    sum += root.weight[k] * x / (x + root.shift[k]);
  return sum;
}

// With imaginary argument (Jacobi's transformation) sn -> i sc, cn -> nc, dn -> dc of the
// complementary modulus; low = 1 / kappa is that modulus squared's complement.
RationalRoot make_root(double kappa, int poles, double *error) {
  const double low = 1.0 / kappa;
  const MeanSequence mean(low);
  const double period = mean.quarter_period();
  RationalRoot root{kappa, {}, {}};
  for (int j = 1; j <= poles; ++j) {
    const Elliptic e = jacobi(mean, (j - 0.5) * period / poles, low);
    const double sc = e.sn / e.cn;
    root.shift.push_back(low * sc * sc);
    root.weight.push_back(2.0 * period * std::sqrt(low) / (M_PI * poles) * e.dn /
                          (e.cn * e.cn));
  }
  double smallest = INFINITY;
  double largest = 0.0;
  constexpr int samples = 300;
  for (int k = 0; k <= samples; ++k) {
    const double x = std::pow(low, static_cast<double>(k) / samples);
    const double ratio = evaluate(root, x) / std::sqrt(x);
    smallest = std::min(smallest, ratio);
    largest = std::max(largest, ratio);
  }
  for (double &weight : root.weight) weight *= 2.0 / (smallest + largest);
  *error = (largest - smallest) / (largest + smallest);
  return root;
}

std::vector<RationalRoot> make_roots() {
  std::vector<RationalRoot> roots;
  int poles = 10;
  for (double kappa = 1500.0; kappa < 1e14; kappa *= 4.0) {
    double error = 1.0;
    RationalRoot root = make_root(kappa, poles, &error);
    while (error > root_tolerance) root = make_root(kappa, ++poles, &error);
    roots.push_back(std::move(root));
  }
  return roots;
}

}  // namespace

const std::vector<RationalRoot> &rational_roots() {
  static const std::vector<RationalRoot> roots = make_roots();
  return roots;
}

}  // namespace specex
