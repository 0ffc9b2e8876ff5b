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
// are close; what of K lies beyond the band is measured, not assumed. Where it matters, K
// is taken once more with a wider band: of this fibre, and in the lanes concerned.
//
// Both directions go on at once: with M = G G^T and W = G^-1 X, K = W^T W, and 16 numbers
// side by side are those of 8 patches from the left and from the right. Rows are scaled
// so that G has a unit diagonal, and columns by the target's diagonal elements, so that K
// is the share of these that it takes.
#include "kernels/cpu/simd/couplings.hpp"
#include "kernels/shared/shortcut_bounds.hpp"

namespace specex::SPECEX_ISA {
namespace {

// Two messages, from fibres that are eliminated to those next to them. Rows of the lower
// and of the upper half of lanes differ by a constant, so that row `i` of column `j` is
// row i - j of the coupling's in either. Where the coupling is known to float precision,
// what it takes is summed in float, too.
template <int Band>
class Messages {
  using F = Factor<Band>;
  using Number = CouplingNumber<Band>;
  using Half = typename Lanes<Number, lanes>::type;
  using Both = typename Lanes<Number, 2 * lanes>::type;

  static constexpr int both = 2 * lanes;
  static constexpr int row_size = (Band + 1) * both;
  static constexpr int reach = Band + 1;  // columns that K is computed for, less one
  // Whether rows and sums stay in registers (but for the widest), and of how many columns
  // at a time: these share what is loaded. All that a system may need take as many, so
  // that a lane's numbers do not depend on the band that another one needs.
  static constexpr bool in_registers = register_bytes == 64 && Band <= largest_spot_band;
  static constexpr int group = in_registers ? 2 : 1;
  static constexpr int unrolled = in_registers ? 4 : 1;   // rows: else registers move
  static constexpr int lead = in_registers ? 0 : Band;    // rows of zeros above a column
  static constexpr int below = in_registers ? 0 : reach;  // and below
  static constexpr int kept = reach + group;              // columns
  static constexpr int sums = in_registers ? kept : register_bytes / 8;
  static constexpr int all_sums = (kept + sums - 1) / sums * sums;

 public:
  // half_band: of K, at most Band. Columns of W end as many rows below X: further down
  // they have decayed.
  Messages(const BlockSystem &system, int half_band, double *scratch)
      : couplings_(system),
        half_band_(half_band),
        target_column_size_(ptrdiff_t{system.half_band + 1} * lanes),
        nbin_(system.nbin),
        nlag_(system.nlag),
        shift_{couplings_.first_row(0), couplings_.first_column(0)},
        height_((group - 1 + nlag_ + half_band + unrolled - 1) / unrolled * unrolled),
        column_rows_(lead + height_ + below),
        roots_(scratch),
        target_(roots_ + (ptrdiff_t{nbin_} + Band) * lanes),
        inverse_target_(
            reinterpret_cast<Number *>(target_ + ptrdiff_t{2} * nbin_ * lanes)),
        rows_(inverse_target_ + ptrdiff_t{nbin_} * both),
        ring_(rows_ + (ptrdiff_t{nbin_} + height_) * row_size),
        end_(ring_ + ptrdiff_t{kept} * column_rows_ * both) {}

  // Doubles of scratch.
  size_t size() const {
    return static_cast<size_t>(3 * nbin_ + Band) * lanes +
           static_cast<size_t>(end_ - inverse_target_) * sizeof(Number) / sizeof(double);
  }

  struct Message {
    int coupling;               // the fibre whose rows it has
    const double *factor;       // of the source
    const double *target_band;  // of which nothing was taken yet
    double *k;                  // what the target loses, of half_band
  };
  // To the next fibre, and to the one before.
  void send(const Message &to_the_right, const Message &to_the_left) {
    const Message *messages[2] = {&to_the_right, &to_the_left};
    for (int h = 0; h < 2; ++h) scale(h, *messages[h]);
    largest_cut_ = Both{};
    const Number *earlier[all_sums] = {};  // row 0 of each, the last first
    Number *slot = ring_;
    for (int first = 0; first < nbin_; first += group) {
      Number *columns[group];  // row `first` of each
      for (int m = kept - 1; m >= group; --m) earlier[m] = earlier[m - group];
      for (int c = 0; c < group; ++c) {
        columns[c] = slot + lead * both;
        earlier[group - 1 - c] = columns[c] - static_cast<ptrdiff_t>(first) * both;
        slot += static_cast<ptrdiff_t>(column_rows_) * both;
        if (slot == end_) slot = ring_;
      }
      for (int m = first == 0 ? group : kept; m < all_sums; ++m)  // not used
        earlier[m] = earlier[0];
      solve(to_the_right.coupling, to_the_left.coupling, first, columns);
      Both total[group][all_sums];
      multiply(first, columns, earlier, total);
      for (int c = 0; c < group && first + c < nbin_; ++c) {
        note(first + c, columns[c], total[c]);
        for (int h = 0; h < 2; ++h) take(h, first + c, total[c], messages[h]->k);
      }
    }
    // Elements whose column would be beyond the last bin.
    for (const Message *message : messages)
      for (int j = nbin_ > half_band_ ? nbin_ - half_band_ : 0; j < nbin_; ++j)
        for (int m = nbin_ - j; m <= half_band_; ++m)
          store(message->k + (ptrdiff_t{j} * (half_band_ + 1) + m) * lanes, Vector{});
  }

  // The largest share that was taken from a diagonal element.
  Vector coupling() const { return larger(largest_share_); }
  // Of either message, squared, relative to the target's diagonal elements, the largest
  // of what is left out: K just beyond the band, and what rows of W that are not computed
  // would add.
  Vector beyond(int h) const {
    return convert<Vector>(h == 0 ? low_half(beyond_) : high_half(beyond_));
  }

 private:
  static Vector larger(const Both &value) {
    return maximum(convert<Vector>(low_half(value)), convert<Vector>(high_half(value)));
  }

  // Rows and columns of half h.
  void scale(int h, const Message &message) {
    for (int j = 0; j < nbin_; ++j) {
      const Vector diagonal =
          load(message.target_band + ptrdiff_t{j} * target_column_size_);
      const Vector inverse = inverse_root(diagonal);
      store(target_ + (ptrdiff_t{h} * nbin_ + j) * lanes, diagonal * inverse);
      store_as(inverse_target_ + ptrdiff_t{j} * both + h * lanes, convert<Half>(inverse));
    }
    const auto root = [&](int row) { return roots_ + (ptrdiff_t{row} + Band) * lanes; };
    for (int row = -Band; row < nbin_; ++row)
      store(root(row),
            row < 0 ? Vector{} : inverse_root(load(F::column(message.factor, row))));
    for (int i = 0; i < nbin_ + height_; ++i) {
      const int row = i + shift_[h];
      Number *to = rows_ + i * ptrdiff_t{row_size} + h * lanes;
      if (row < 0 || row >= nbin_) {
        for (int p = 0; p <= Band; ++p) store_as(to + p * both, Half{});
        continue;
      }
      const double *column = F::column(message.factor, row);
      const Vector inverse = load(column) * load(root(row));
      store_as(to, convert<Half>(inverse));
      rising<is_narrow<Band>>(1, Band, [&](int p) {
        const Vector l = load(column - p * F::column_size + p * lanes);
        store_as(to + p * both, convert<Half>(l * inverse * load(root(row - p))));
      });
    }
  }

  // W = G^-1 X, with zeros around it for the rows of other columns and the recurrence.
  void solve(int right, int left, int first, Number *const (&columns)[group]) {
    const ptrdiff_t step = couplings_.column_step();
    const Number *down[group];
    const Number *along[group];
    Both scale[group];
    int lags[group];
    typename Couplings<Number>::Range rows[group];
    for (int c = 0; c < group; ++c) {
      const int column = first + c < nbin_ ? first + c : first;
      lags[c] = first + c < nbin_ ? nlag_ : 0;
      rows[c] = couplings_.existing(couplings_.first_row(column));
      down[c] = couplings_.column(right, column);
      along[c] = couplings_.row(left, column);
      scale[c] = load_as<Both>(inverse_target_ + ptrdiff_t{column} * both);
      for (int i = -lead; i < 0; ++i) store_as(columns[c] + i * both, Both{});
      for (int i = height_; i < column_rows_ - lead; ++i)
        store_as(columns[c] + i * both, Both{});
    }
    // Rows that do not exist have a scale of 0; those of columns may not be read.
    const auto coupling = [&](int c, int k) {
      Half low{};
      if (k >= rows[c].first && k < rows[c].end) low = load(down[c] + k * step);
      return side_by_side<Both>(low, load(along[c] + k * lanes));
    };
    const Number *row = rows_ + first * ptrdiff_t{row_size};
    [[maybe_unused]] Both last[group][Band] = {};
    for (int done = 0; done < height_; done += unrolled, row += unrolled * row_size)
      rising<true>(0, unrolled - 1, [&](int u) {
        const int i = done + u;
        Both value[group] = {};
        for (int c = 0; c < group; ++c)
          if (i >= c && i - c < lags[c])
            value[c] = coupling(c, i - c) * load_as<Both>(row + u * row_size) * scale[c];
        falling<is_narrow<Band>>(Band, 1, [&](int p) {
          const Both g = load_as<Both>(row + u * row_size + p * both);
          for (int c = 0; c < group; ++c)
            if constexpr (in_registers)
              value[c] -= g * last[c][p - 1];
            else
              value[c] -= g * load_as<Both>(columns[c] + (i - p) * both);
        });
        for (int c = 0; c < group; ++c) {
          if constexpr (in_registers) {
            falling<true>(Band - 1, 1, [&](int p) { last[c][p] = last[c][p - 1]; });
            last[c][0] = value[c];
          }
          store_as(columns[c] + i * both, value[c]);
        }
      });
  }

  // Products of columns with those before, from `lag` 0 on. Each group ends `group` rows
  // before the next.
  void multiply(int first, Number *const (&columns)[group],
                const Number *const (&earlier)[all_sums],
                Both (&total)[group][all_sums]) {
    for (int some = 0; some < all_sums; some += sums) {
      Both sum[group][sums] = {};
      const auto add = [&](int from, int end, int columns_there) {
        for (int i = from; i < end; ++i) {
          Both own[group];
          for (int c = 0; c < group; ++c) own[c] = load_as<Both>(columns[c] + i * both);
          rising<true>(0, sums - 1, [&](int m) {
            if (m >= columns_there) return;
            const Both other =
                load_as<Both>(earlier[some + m] + (ptrdiff_t{first} + i) * both);
            for (int c = 0; c < group; ++c) {
              const int lag = m + c - (group - 1);
              if (lag >= 0 && (group == 1 || lag <= reach)) sum[c][lag] += own[c] * other;
            }
          });
        }
      };
      if constexpr (in_registers) {
        constexpr int before = (kept - 1) / group;  // groups
        add(0, height_ - before * group, sums);
        rising<true>(1, before, [&](int k) {
          const int end = height_ - (before - k) * group;
          add(end - group, end, (before + 1 - k) * group);
        });
      } else {
        add(0, height_, sums);
      }
      for (int c = 0; c < group; ++c)
        for (int m = 0; m < sums; ++m) total[c][some + m] = sum[c][m];
    }
  }

  void note(int column, const Number *w, const Both (&total)[all_sums]) {
    largest_share_ = maximum(largest_share_, total[0]);
    const int next = half_band_ + 1;
    if (column >= next) beyond_ = maximum(beyond_, total[next] * total[next]);
    // What earlier columns lack below their ends, as large as their last two rows at
    // most, would meet the last rows of this one.
    const auto energy = [&](int rows) {
      Both sum{};
      for (int i = height_ - rows; i < height_; ++i) {
        const Both value = load_as<Both>(w + i * both);
        sum += value * value;
      }
      return sum;
    };
    const Both cut = energy(2);
    largest_cut_ = maximum(largest_cut_, cut);
    beyond_ = maximum(beyond_, largest_cut_ * (energy(next) + cut));
  }

  // A column of K, in half h.
  void take(int h, int column, const Both (&total)[all_sums], double *k) {
    const double *target = target_ + (ptrdiff_t{h} * nbin_ + column) * lanes;
    const Vector own = load(target);
    for (int m = 0; m <= half_band_ && m <= column; ++m) {
      const Vector share =
          convert<Vector>(h == 0 ? low_half(total[m]) : high_half(total[m]));
      store(k + (ptrdiff_t{column - m} * (half_band_ + 1) + m) * lanes,
            share * own * load(target - m * lanes));
    }
  }

  Couplings<Number> couplings_;
  int half_band_;
  ptrdiff_t target_column_size_;
  int nbin_;
  int nlag_;
  int shift_[2];            // rows
  int height_;              // of the columns of a group, rows
  int column_rows_;         // with zeros
  double *roots_;           // [Band + nbin][8] of the source's pivots
  double *target_;          // [2][nbin][8]: roots of the diagonal elements
  Number *inverse_target_;  // [nbin][16]
  Number *rows_;            // [nbin + height_][Band + 1][16]: a row's scale, and G
  Number *ring_;            // [kept][column_rows_][16]
  Number *end_;
  Both largest_share_{};
  Both beyond_{};
  Both largest_cut_{};
};

// Of a fibre, once those before it in one direction are eliminated.
struct Marginal {
  const double *own;
  int own_band;
  const double *taken;
  int taken_band;  // -1: there is none before it

  SPECEX_INLINE Vector operator()(int j, int m) const {
    Vector value{};
    if (m <= own_band) value = load(own + (ptrdiff_t{j} * (own_band + 1) + m) * lanes);
    if (m <= taken_band)
      value -= load(taken + (ptrdiff_t{j} * (taken_band + 1) + m) * lanes);
    return value;
  }
};

// Both directions at a time: neither waits for the other.
class BothWays {
 public:
  BothWays(const BlockSystem &system, int wanted, const Elimination &e)
      : system_(system),
        e_(e),
        last_(system.nfiber - 1),
        wanted_(wanted),
        size_(band_matrix_size(system.nbin, e.widest)),
        factor_size_(factor_size(system.nbin, e.widest)),
        right_factor_(e.scratch) {
    wide_[0] = right_factor_ + factor_size_;
    wide_[1] = wide_[0] + size_;
    scratch_ = wide_[1] + size_;
  }

  int eliminate(Checks &checks) {
    for (int f = 0; f <= last_; ++f)
      e_.left_band[f] = e_.right_band[f] = system_.half_band;
    for (int f = 0; f < last_; ++f) step(f, last_ - f);
    for_half_band(e_.left_band[last_], [&]<int Band>() {
      const Marginal left = from_the_left(last_);
      good_ &= factorise<Band, 1>(system_.nbin, {left_factor<Band>(last_)},
                                  [&](int, int j, int m) { return left(j, m); });
    });
    note(coupling_, checks.coupling);
    note(beyond_, checks.truncation);  // squared here: the caller takes the root
    return bits(good_);
  }

 private:
  const double *own(int f) const {
    return of_fiber(system_.band, f, band_matrix_size(system_.nbin, system_.half_band));
  }
  Marginal from_the_left(int f) const {
    return {own(f), system_.half_band, of_fiber(e_.from_left, f, size_),
            f > 0 ? e_.left_band[f] : -1};
  }
  Marginal from_the_right(int f) const {
    return {own(f), system_.half_band, of_fiber(e_.from_right, f, size_),
            f < last_ ? e_.right_band[f] : -1};
  }
  // Where the one of fibre f is to be, with its ends clear.
  template <int Band>
  double *left_factor(int f) const {
    double *factor = of_fiber(e_.left_factor, f, factor_size_);
    Factor<Band>::clear_ends(system_.nbin, factor);
    e_.factor_band[f] = Band;
    return factor;
  }

  // Fibre f gives to the next, g to the one before.
  void step(int f, int g) {
    const int source_band =
        e_.left_band[f] > e_.right_band[g] ? e_.left_band[f] : e_.right_band[g];
    double *const taken[2] = {of_fiber(e_.from_left, f + 1, size_),
                              of_fiber(e_.from_right, g - 1, size_)};
    int *const taken_band[2] = {&e_.left_band[f + 1], &e_.right_band[g - 1]};
    Vector beyond[2];
    exchange(f, g, source_band, system_.half_band, taken, beyond);
    int needed[2][lanes];
    for (int h = 0; h < 2; ++h)
      for (int lane = 0; lane < lanes; ++lane)
        needed[h][lane] = needed_band(lane, system_.half_band, beyond[h][lane]);
    while (const int wider = least(needed)) {
      Vector again[2];
      exchange(f, g, source_band > wider ? source_band : wider, wider, wide_, again);
      for (int h = 0; h < 2; ++h) {
        int64_t is_chosen[lanes];
        bool any = false;
        for (int lane = 0; lane < lanes; ++lane) {
          is_chosen[lane] = needed[h][lane] == wider ? -1 : 0;
          any |= needed[h][lane] == wider;
        }
        if (!any) continue;
        const Integers chosen = load(is_chosen);
        widen(taken[h], *taken_band[h], wide_[h], wider, chosen);
        beyond[h] = select(chosen, again[h], beyond[h]);
        for (int lane = 0; lane < lanes; ++lane)
          if (needed[h][lane] == wider)
            needed[h][lane] = needed_band(lane, wider, beyond[h][lane]);
      }
    }
    beyond_ = maximum(beyond_, maximum(beyond[0], beyond[1]));
  }

  // Of K, where that of half_band leaves out too much in a lane; else 0.
  int needed_band(int lane, int half_band, double beyond) {
    constexpr double allowed = max_truncation * max_truncation;
    if ((wanted_ >> lane & 1) == 0 || good_[lane] == 0 || !(beyond > allowed)) return 0;
    if (half_band == e_.widest) {
      wanted_ &= ~(1 << lane);  // and what comes after is in vain
      return 0;
    }
    // What lies beyond is halved from bin to bin, at best.
    int needed = half_band + 1;
    for (double ratio = beyond / allowed; ratio >= 4.0 && needed < e_.widest; ++needed)
      ratio *= 0.25;
    return half_band_for(needed);
  }
  static int least(const int (&needed)[2][lanes]) {
    int result = 0;
    for (const auto &of_message : needed)
      for (const int band : of_message)
        if (band > 0 && (result == 0 || band < result)) result = band;
    return result;
  }

  // With matrices of source_band, to K of half_band.
  void exchange(int f, int g, int source_band, int half_band, double *const (&k)[2],
                Vector (&beyond)[2]) {
    for_half_band(source_band, [&]<int Band>() {
      const Marginal left = from_the_left(f);
      const Marginal right = from_the_right(g);
      double *factor = left_factor<Band>(f);
      Factor<Band>::clear_ends(system_.nbin, right_factor_);
      good_ &= factorise<Band, 2>(
          system_.nbin, {factor, right_factor_},
          [&](int i, int j, int m) { return i == 0 ? left(j, m) : right(j, m); });
      Messages<Band> messages(system_, half_band, scratch_);
      messages.send({f, factor, own(f + 1), k[0]},
                    {g - 1, right_factor_, own(g - 1), k[1]});
      coupling_ = maximum(coupling_, messages.coupling());
      for (int h = 0; h < 2; ++h) beyond[h] = messages.beyond(h);
    });
  }

  // In the lanes chosen K becomes what was found; in others it is as before.
  void widen(double *k, int &half_band, const double *found, int wider,
             const Integers &chosen) const {
    for (ptrdiff_t j = system_.nbin - 1; j >= 0; --j)
      for (int m = wider; m >= 0; --m) {
        const ptrdiff_t to = (j * (wider + 1) + m) * lanes;
        const Vector before =
            m <= half_band ? load(k + (j * (half_band + 1) + m) * lanes) : Vector{};
        store(k + to, select(chosen, load(found + to), before));
      }
    half_band = wider;
  }

  const BlockSystem &system_;
  const Elimination &e_;
  int last_;
  int wanted_;          // lanes
  size_t size_;         // of the matrix of a fibre
  size_t factor_size_;  // and of its factor
  double *right_factor_;
  double *wide_[2];
  double *scratch_;
  Integers good_ = ~Integers{};
  Vector coupling_{};
  Vector beyond_{};
};

}  // namespace

size_t factor_size(int nbin, int half_band) {
  return for_half_band(half_band, [&]<int Band>() { return Factor<Band>::size(nbin); });
}

size_t elimination_scratch(const BlockSystem &system, int widest) {
  return for_half_band(widest, [&]<int Band>() {
    return Factor<Band>::size(system.nbin) + 2 * band_matrix_size(system.nbin, widest) +
           Messages<Band>(system, widest, nullptr).size();
  });
}

int eliminate(const BlockSystem &system, int wanted, const Elimination &elimination,
              Checks &checks) {
  return BothWays(system, wanted, elimination).eliminate(checks);
}

}  // namespace specex::SPECEX_ISA
