// SPDX-License-Identifier: BSD-3-Clause
//
// Elimination of fibres, 8 patches at a time. Ordered by fibre, N is block tridiagonal:
// band matrices D_f on the diagonal and the couplings X_f of f with f + 1 beside it. From
// the left,
//   M_0 = D_0,   M_{f+1} = D_{f+1} - K_{f+1},   K_{f+1} = X_f^T M_f^-1 X_f,
// and likewise from the right. What remains for fibre f once all others are marginalised,
//   S_f = D_f - K_f(left) - K_f(right) = (C_ff)^-1        (Bolton & Schlegel 2010, sec.
//   3)
// is as narrow as D_f to within rounding where fibres are far apart, and wider where they
// are close; what of K lies beyond the band is measured, not assumed.
#include "kernels/cpu/simd/band_factor.hpp"

namespace specex::SPECEX_ISA {
namespace {

// Columns of L^-1 X end this many rows below X: further down they have decayed.
template <int Band>
constexpr int tail = Band + 3;
// Columns that are kept: the band and one beyond.
template <int Band>
constexpr int ring = ring_for<Band + 2>;

// The coupling between a source fibre, which is eliminated, and its target: element
// (row of the source, column of the target).
struct Coupling {
  const double *cross;  // [nbin][nlag][8]
  int nbin;
  int nlag;
  int first_lag;
  bool to_the_right;  // the source is the fibre whose rows `cross` has

  int first_row(int column) const {
    return to_the_right ? column - (first_lag + nlag - 1) : column + first_lag;
  }
  const double *element(int row, int column) const {
    const int lag = (to_the_right ? column - row : row - column) - first_lag;
    const int at = to_the_right ? row : column;
    return cross + (static_cast<ptrdiff_t>(at) * nlag + lag) * lanes;
  }
};

// Rows kept of a column of L^-1 X, with zeros above it for the recurrence, or below for
// as long as later columns go on.
template <int Band>
int window_rows(int nlag) {
  return nlag + tail<Band> + Band + 1;
}

// K = X^T (L D L^T)^-1 X within the band; returns, squared and relative to the target's
// diagonal elements, the largest of what is left out: K just beyond the band, and what
// the rows of L^-1 X that are not computed would add.
template <int Band>
Vector message(const double *factor, const Coupling &x, const double *target_band,
               double *k, double *scratch) {
  using F = Factor<Band>;
  constexpr int reach = Band + 1;  // columns that K is computed for, less one
  constexpr int sums = is_narrow<Band> ? reach + 1 : 8;  // of K that registers hold
  const ptrdiff_t window = window_rows<Band>(x.nlag) * lanes;
  Vector beyond{};
  Vector largest_cut{};
  constexpr int all_sums = (reach + sums) / sums * sums;
  const double *earlier[all_sums] = {};  // D^-1 L^-1 X, the column `m` before, row 0
  for (int column = 0; column < x.nbin; ++column) {
    const int lowest = x.first_row(column);
    const int first = lowest > 0 ? lowest : 0;
    int end = lowest + x.nlag + tail<Band>;
    if (end > x.nbin) end = x.nbin;
    if (end < first) end = first;
    double *u = scratch + ptrdiff_t{column & (ring<Band> - 1)} * 2 * window;  // L^-1 X
    double *v = u + window;
    for (int m = 0; m < Band; ++m) store(u + m * lanes, Vector{});
    for (int m = 0; m < reach; ++m) store(v + (end - first + m) * lanes, Vector{});
    u += (Band - first) * lanes;
    v -= first * lanes;
    for (int m = reach; m > 0; --m) earlier[m] = column > 0 ? earlier[m - 1] : v;
    earlier[0] = v;
    for (int m = reach + 1; m < all_sums; ++m) earlier[m] = v;  // not kept
    Vector above{};
    for (int row = first; row < end; ++row) {
      Vector value = row < lowest + x.nlag ? load(x.element(row, column)) : Vector{};
      Vector other{};
      const double *below = F::column(factor, row);
      falling<is_narrow<Band>>(Band, 2, [&](int p) {
        const Vector term =
            load(below - p * F::column_size + p * lanes) * load(u + (row - p) * lanes);
        if (p % 2 == 0)
          value -= term;
        else
          other -= term;
      });
      value += other;
      above = value - load(below - F::column_size + lanes) * above;
      store(u + row * lanes, above);
      store(v + row * lanes, above * load(below));
    }
    Vector total[reach + 1];
    for (int some = 0; some <= reach; some += sums) {
      Vector sum[sums] = {};
      for (int row = first; row < end; ++row) {
        const Vector ours = load(u + row * lanes);
        rising<true>(0, sums - 1, [&](int m) {
          sum[m] += ours * load(earlier[some + m] + row * lanes);
        });
      }
      for (int m = 0; m < sums && some + m <= reach; ++m) total[some + m] = sum[m];
    }
    const Vector diagonal =
        load(target_band + static_cast<ptrdiff_t>(column) * F::column_size);
    for (int m = 0; m <= Band && m <= column; ++m)
      store(k + static_cast<ptrdiff_t>(column - m) * F::column_size + m * lanes,
            total[m]);
    if (column >= reach) {
      const Vector other =
          load(target_band + static_cast<ptrdiff_t>(column - reach) * F::column_size);
      beyond = maximum(beyond, total[reach] * total[reach] / (diagonal * other));
    }
    // What earlier columns lack below their ends, as large as their last two rows at
    // most, would meet the last rows of this one.
    if (end == x.nbin) continue;
    const auto energy = [&](int rows) {
      Vector sum{};
      for (int row = end - rows > first ? end - rows : first; row < end; ++row)
        sum += load(u + row * lanes) * load(v + row * lanes);
      return sum / diagonal;
    };
    const Vector cut = energy(2);
    largest_cut = maximum(largest_cut, cut);
    beyond = maximum(beyond, largest_cut * (energy(reach) + cut));
  }
  // Elements whose column would be beyond the last bin.
  for (int j = x.nbin > Band ? x.nbin - Band : 0; j < x.nbin; ++j)
    for (int m = x.nbin - j; m <= Band; ++m)
      store(k + static_cast<ptrdiff_t>(j) * F::column_size + m * lanes, Vector{});
  return beyond;
}

// to := from - less, returns the largest share that was taken from the diagonal.
template <int Band>
Vector subtract(const double *from, const double *less, int nbin, double *to) {
  Vector largest{};
  for (int j = 0; j < nbin; ++j)
    for (int m = 0; m <= Band; ++m) {
      const ptrdiff_t at =
          static_cast<ptrdiff_t>(j) * Factor<Band>::column_size + m * lanes;
      store(to + at, load(from + at) - load(less + at));
      if (m == 0) largest = maximum(largest, load(less + at) / load(from + at));
    }
  return largest;
}

void note(Vector value, double *worst) {
  for (int lane = 0; lane < lanes; ++lane)
    if (!(value[lane] <= worst[lane])) worst[lane] = value[lane];
}

int bits(Integers condition) {
  int result = 0;
  for (int lane = 0; lane < lanes; ++lane)
    if (condition[lane] != 0) result |= 1 << lane;
  return result;
}

template <int Band>
int eliminate_fibers(const BlockSystem &system, const Elimination &e, Checks &checks) {
  using F = Factor<Band>;
  const int last = system.nfiber - 1;
  const ptrdiff_t band_size = static_cast<ptrdiff_t>(system.nbin) * F::column_size;
  const ptrdiff_t cross_size = static_cast<ptrdiff_t>(system.nbin) * system.nlag * lanes;
  const auto factor_size = static_cast<ptrdiff_t>(F::size(system.nbin));
  double *reduced[2] = {e.scratch, e.scratch + band_size};
  double *right_factor = reduced[1] + band_size;
  double *columns = right_factor + factor_size;
  Integers good = ~Integers{};
  Vector coupling{};
  Vector beyond{};
  // What is left of fibre f once those before it, in this direction, are eliminated.
  const auto marginal = [&](int f, bool first, const double *taken, double *to) {
    const double *own = system.band + f * band_size;
    if (first) return own;
    coupling =
        maximum(coupling, subtract<Band>(own, taken + f * band_size, system.nbin, to));
    return static_cast<const double *>(to);
  };
  const auto eliminate_one = [&](int f, const double *factor, int next, double *taken) {
    const bool right = next > f;
    const Coupling x{system.cross + (right ? f : next) * cross_size, system.nbin,
                     system.nlag, system.first_lag, right};
    beyond = maximum(beyond, message<Band>(factor, x, system.band + next * band_size,
                                           taken + next * band_size, columns));
  };
  // Both directions at once: neither waits for the other.
  for (int f = 0; f < last; ++f) {
    const int g = last - f;
    double *left_factor = e.left_factor + f * factor_size;
    good &= factorise<Band, 2>({marginal(f, f == 0, e.from_left, reduced[0]),
                                marginal(g, f == 0, e.from_right, reduced[1])},
                               {Vector{}, Vector{}}, system.nbin,
                               {left_factor, right_factor});
    eliminate_one(f, left_factor, f + 1, e.from_left);
    eliminate_one(g, right_factor, g - 1, e.from_right);
  }
  good &=
      factorise<Band, 1>({marginal(last, last == 0, e.from_left, reduced[0])}, {Vector{}},
                         system.nbin, {e.left_factor + last * factor_size});
  note(coupling, checks.coupling);
  note(beyond, checks.truncation);  // squared here: the caller takes the root
  return bits(good);
}

// residual := data - N x, by blocks; and the flux errors' scale.
template <int Band>
void residual_of(const BlockSystem &system, const double *x, double *residual) {
  const int n = system.nbin;
  const ptrdiff_t vector_size = static_cast<ptrdiff_t>(n) * lanes;
  for (ptrdiff_t k = 0; k < system.nfiber * vector_size; k += lanes)
    store(residual + k, load(system.data + k));
  for (int f = 0; f < system.nfiber; ++f) {
    const double *own_x = x + f * vector_size;
    double *own_r = residual + f * vector_size;
    for (int j = 0; j < n; ++j) {
      const double *column = system.band + f * n * Factor<Band>::column_size +
                             static_cast<ptrdiff_t>(j) * Factor<Band>::column_size;
      const Vector xj = load(own_x + j * lanes);
      Vector total = load(own_r + j * lanes) - load(column) * xj;
      const int last = n - 1 - j < Band ? n - 1 - j : Band;
      for (int m = 1; m <= last; ++m) {
        const Vector a = load(column + m * lanes);
        total -= a * load(own_x + (j + m) * lanes);
        store(own_r + (j + m) * lanes, load(own_r + (j + m) * lanes) - a * xj);
      }
      if (f + 1 < system.nfiber) {
        const double *cross =
            system.cross + (static_cast<ptrdiff_t>(f) * n + j) * system.nlag * lanes;
        for (int l = 0; l < system.nlag; ++l) {
          const int v = j + system.first_lag + l;
          if (v < 0 || v >= n) continue;
          const Vector a = load(cross + l * lanes);
          total -= a * load(own_x + vector_size + v * lanes);
          double *r = own_r + vector_size + v * lanes;
          store(r, load(r) - a * xj);
        }
      }
      store(own_r + j * lanes, total);
    }
  }
}

// dx := N^-1 r with the left factors: exact for what they hold, so that a second pass on
// the remaining residual settles the rest.
template <int Band>
void block_solve(const BlockSystem &system, const Elimination &e, double *r,
                 double *work) {
  const int n = system.nbin;
  const ptrdiff_t vector_size = static_cast<ptrdiff_t>(n) * lanes;
  const auto factor_size = static_cast<ptrdiff_t>(Factor<Band>::size(n));
  const auto each = [&](int f, auto &&apply) {
    for (int j = 0; j < n; ++j)
      for (int l = 0; l < system.nlag; ++l) {
        const int v = j + system.first_lag + l;
        if (v < 0 || v >= n) continue;
        apply(j, v,
              load(system.cross +
                   ((static_cast<ptrdiff_t>(f) * n + j) * system.nlag + l) * lanes));
      }
  };
  for (int f = 0; f + 1 < system.nfiber; ++f) {
    for (ptrdiff_t k = 0; k < vector_size; k += lanes)
      store(work + k, load(r + f * vector_size + k));
    solve<Band>(e.left_factor + f * factor_size, n, work);
    double *next = r + (f + 1) * vector_size;
    each(f, [&](int j, int v, Vector a) {
      store(next + v * lanes, load(next + v * lanes) - a * load(work + j * lanes));
    });
  }
  for (int f = system.nfiber - 1; f >= 0; --f) {
    double *own = r + f * vector_size;
    if (f + 1 < system.nfiber) {
      const double *next = own + vector_size;
      each(f, [&](int j, int v, Vector a) {
        store(own + j * lanes, load(own + j * lanes) - a * load(next + v * lanes));
      });
    }
    solve<Band>(e.left_factor + f * factor_size, n, own);
  }
}

// The square of what fibres see of each other's light, in standard deviations of a bin's
// own: the largest. light: a vector of the system.
template <int Band>
Vector coupled_light(const BlockSystem &system, const double *x, double *light) {
  const int n = system.nbin;
  const ptrdiff_t vector_size = static_cast<ptrdiff_t>(n) * lanes;
  for (ptrdiff_t k = 0; k < system.nfiber * vector_size; k += lanes)
    store(light + k, Vector{});
  const double *cross = system.cross;
  for (int f = 0; f + 1 < system.nfiber; ++f)
    for (int j = 0; j < n; ++j, cross += system.nlag * lanes) {
      const ptrdiff_t own = f * vector_size + static_cast<ptrdiff_t>(j) * lanes;
      const Vector xj = absolute(load(x + own));
      Vector total = load(light + own);
      for (int l = 0; l < system.nlag; ++l) {
        const int v = j + system.first_lag + l;
        if (v < 0 || v >= n) continue;
        const Vector a = absolute(load(cross + l * lanes));
        const ptrdiff_t next = (f + 1) * vector_size + static_cast<ptrdiff_t>(v) * lanes;
        total += a * absolute(load(x + next));
        store(light + next, load(light + next) + a * xj);
      }
      store(light + own, total);
    }
  Vector largest{};
  for (ptrdiff_t k = 0; k < system.nfiber * vector_size; k += lanes)
    largest = maximum(
        largest, load(light + k) * load(light + k) / load(system.band + k * (Band + 1)));
  return largest;
}

template <int Band>
void refine(const BlockSystem &system, const Elimination &e, double *flux,
            double *scratch, Checks &checks) {
  constexpr int max_sweeps = 8;
  constexpr double good_enough = 1e-11;  // standard deviations
  const ptrdiff_t size = static_cast<ptrdiff_t>(system.nfiber) * system.nbin * lanes;
  double *r = scratch;
  double *work = r + size;
  for (ptrdiff_t k = 0; k < size; k += lanes) store(flux + k, Vector{});
  for (ptrdiff_t k = 0; k < size; k += lanes) store(r + k, load(system.data + k));
  Vector before{};
  Vector expected{};  // what a further sweep would change
  // A lane that has settled is left alone, so that it does not depend on the others.
  Integers active = ~Integers{};
  for (int sweep = 0; sweep < max_sweeps; ++sweep) {
    block_solve<Band>(system, e, r, work);
    Vector change{};
    for (ptrdiff_t k = 0; k < size; k += lanes) {
      const Vector dx = select(active, load(r + k), Vector{});
      store(flux + k, load(flux + k) + dx);
      change = maximum(change, dx * dx * load(system.band + k * (Band + 1)));
    }
    // change is the square of a correction in standard deviations; corrections shrink
    // by a constant factor.
    if (sweep > 0)
      expected =
          select(active, change * change / maximum(before, broadcast(1e-300)), expected);
    else
      expected = change;
    before = change;
    if (sweep > 0) active &= ~(expected <= broadcast(good_enough * good_enough));
    if (bits(active) == 0) break;
    if (sweep + 1 < max_sweeps) residual_of<Band>(system, flux, r);
  }
  note(expected, checks.residual);  // squared here: the caller takes the root
  note(coupled_light<Band>(system, flux, r), checks.light);
}

}  // namespace

size_t factor_size(int nbin, int half_band) {
  return for_half_band(half_band, [&]<int Band>() { return Factor<Band>::size(nbin); });
}

size_t elimination_scratch(const BlockSystem &system) {
  return for_half_band(system.half_band, [&]<int Band>() {
    return static_cast<size_t>(2 * system.nbin) * Factor<Band>::column_size +
           Factor<Band>::size(system.nbin) +
           static_cast<size_t>(ring<Band> * 2 * window_rows<Band>(system.nlag) * lanes);
  });
}

int eliminate(const BlockSystem &system, const Elimination &elimination, Checks &checks) {
  return for_half_band(system.half_band, [&]<int Band>() {
    return eliminate_fibers<Band>(system, elimination, checks);
  });
}

void solve_flux(const BlockSystem &system, const Elimination &elimination, double *flux,
                double *scratch, Checks &checks) {
  for_half_band(system.half_band, [&]<int Band>() {
    refine<Band>(system, elimination, flux, scratch, checks);
  });
}

}  // namespace specex::SPECEX_ISA
