// SPDX-License-Identifier: BSD-3-Clause
//
// The flux of 8 patches at a time, with what their elimination left behind: solved with
// the factors and corrected by what remains of the equations. Every sum is that of one
// bin, along a row or down a column of a coupling, so that it stays in a register.
#include "kernels/cpu/simd/couplings.hpp"

namespace specex::SPECEX_ISA {
namespace {

template <int Band>
class Flux {
  using F = Factor<Band>;
  using Number = CouplingNumber<Band>;
  using Range = typename Couplings<Number>::Range;

 public:
  Flux(const BlockSystem &system, const Elimination &e, double *scratch)
      : system_(system),
        couplings_(system),
        e_(e),
        n_(system.nbin),
        vector_size_(ptrdiff_t{n_} * lanes),
        size_(system.nfiber * vector_size_),
        r_(scratch),
        work_(scratch + size_) {}

  void refine(double *flux, Checks &checks) {
    constexpr int max_sweeps = 8;
    constexpr double good_enough = 1e-11;  // standard deviations
    for (ptrdiff_t k = 0; k < size_; k += lanes) store(flux + k, Vector{});
    for (ptrdiff_t k = 0; k < size_; k += lanes) store(r_ + k, load(system_.data + k));
    Vector before{};
    Vector expected{};  // what a further sweep would change
    // A lane that has settled is left alone, so that it does not depend on the others.
    Integers active = ~Integers{};
    for (int sweep = 0; sweep < max_sweeps; ++sweep) {
      block_solve();
      Vector change{};
      for (ptrdiff_t k = 0; k < size_; k += lanes) {
        const Vector dx = select(active, load(r_ + k), Vector{});
        store(flux + k, load(flux + k) + dx);
        change = maximum(change, dx * dx * load(system_.band + k * (Band + 1)));
      }
      // change is the square of a correction in standard deviations; corrections shrink
      // by a constant factor.
      if (sweep > 0)
        expected = select(active, change * change / maximum(before, broadcast(1e-300)),
                          expected);
      else
        expected = change;
      before = change;
      if (sweep > 0) active &= ~(expected <= broadcast(good_enough * good_enough));
      if (bits(active) == 0) break;
      if (sweep == 0)
        find_residual<true>(flux);
      else if (sweep + 1 < max_sweeps)
        find_residual<false>(flux);
    }
    note(expected, checks.residual);  // squared here: the caller takes the root
    note(light_, checks.light);
  }

 private:
  // r := N^-1 r with the left factors: exact for what they hold, so that a second pass on
  // the remaining residual settles the rest.
  void block_solve() {
    for (int f = 0; f < system_.nfiber; ++f) {
      double *own = r_ + f * vector_size_;
      if (f > 0)
        for (int v = 0; v < n_; ++v) {
          const int row = couplings_.first_row(v);
          subtract(own + v * lanes, couplings_.existing(row), couplings_.column(f - 1, v),
                   couplings_.column_step(), work_ + ptrdiff_t{row} * lanes);
        }
      if (f + 1 == system_.nfiber) break;
      for (ptrdiff_t k = 0; k < vector_size_; k += lanes) store(work_ + k, load(own + k));
      solve_fiber(f, work_);
    }
    for (int f = system_.nfiber - 1; f >= 0; --f) {
      double *own = r_ + f * vector_size_;
      if (f + 1 < system_.nfiber)
        for (int j = 0; j < n_; ++j) {
          const int column = couplings_.first_column(j);
          subtract(own + j * lanes, couplings_.existing(column), couplings_.row(f, j),
                   lanes, own + vector_size_ + ptrdiff_t{column} * lanes);
        }
      solve_fiber(f, own);
    }
  }
  void solve_fiber(int f, double *x) const {
    const double *factor = of_fiber(e_.left_factor, f, factor_size(n_, e_.widest));
    for_half_band(e_.factor_band[f], [&]<int Own>() { solve<Own>(factor, n_, x); });
  }
  SPECEX_INLINE static void subtract(double *from, const Range &range, const Number *x,
                                     ptrdiff_t step, const double *source) {
    Vector sum = load(from);
    for (int k = range.first; k < range.end; ++k)
      sum -= load_doubles(x + k * step) * load(source + k * lanes);
    store(from, sum);
  }

  // r := data - N x. And the square of what fibres see of each other's light, in standard
  // deviations of a bin's own: the largest.
  template <bool WithLight>
  void find_residual(const double *x) {
    for (int f = 0; f < system_.nfiber; ++f) {
      const double *own = x + f * vector_size_;
      const double *band = system_.band + f * ptrdiff_t{n_} * F::column_size;
      for (int j = 0; j < n_; ++j) {
        const double *column = band + j * ptrdiff_t{F::column_size};
        const Vector diagonal = load(column);
        Vector sum = load(system_.data + f * vector_size_ + j * lanes) -
                     diagonal * load(own + j * lanes);
        for (int m = n_ - 1 - j < Band ? n_ - 1 - j : Band; m >= 1; --m)
          sum -= load(column + m * lanes) * load(own + (j + m) * lanes);
        for (int m = j < Band ? j : Band; m >= 1; --m)
          sum -=
              load(column - m * F::column_size + m * lanes) * load(own + (j - m) * lanes);
        Vector light{};
        const auto add = [&](const Range &range, const Number *element, ptrdiff_t step,
                             const double *source) {
          for (int k = range.first; k < range.end; ++k) {
            const Vector share =
                load_doubles(element + k * step) * load(source + k * lanes);
            sum -= share;
            if constexpr (WithLight) light += absolute(share);
          }
        };
        if (f > 0) {
          const int row = couplings_.first_row(j);
          add(couplings_.existing(row), couplings_.column(f - 1, j),
              couplings_.column_step(), own - vector_size_ + ptrdiff_t{row} * lanes);
        }
        if (f + 1 < system_.nfiber) {
          const int next = couplings_.first_column(j);
          add(couplings_.existing(next), couplings_.row(f, j), lanes,
              own + vector_size_ + ptrdiff_t{next} * lanes);
        }
        store(r_ + f * vector_size_ + j * lanes, sum);
        if constexpr (WithLight) light_ = maximum(light_, light * light / diagonal);
      }
    }
  }

  const BlockSystem &system_;
  Couplings<Number> couplings_;
  const Elimination &e_;
  int n_;
  ptrdiff_t vector_size_;
  ptrdiff_t size_;
  double *r_;
  double *work_;  // of a fibre
  Vector light_{};
};

}  // namespace

void solve_flux(const BlockSystem &system, const Elimination &elimination, double *flux,
                double *scratch, Checks &checks) {
  for_half_band(system.half_band, [&]<int Band>() {
    Flux<Band>(system, elimination, scratch).refine(flux, checks);
  });
}

}  // namespace specex::SPECEX_ISA
