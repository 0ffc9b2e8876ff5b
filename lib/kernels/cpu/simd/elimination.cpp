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
//
// Both directions go on at once: with M = G G^T and W = G^-1 X, K = W^T W, and 16 numbers
// side by side are those of 8 patches from the left and from the right. Rows are scaled
// so that G has a unit diagonal, and columns by the target's diagonal elements, so that K
// is the share of these that it takes.
#include "kernels/cpu/simd/couplings.hpp"

namespace specex::SPECEX_ISA {
namespace {

template <bool Single>
struct NumberOf {
  using type = double;
};
template <>
struct NumberOf<true> {
  using type = float;
};

// Two messages, from fibres that are eliminated to those next to them. Rows of the lower
// and of the upper half of lanes differ by a constant, so that row `i` of column `j` is
// row i - j of the coupling's in either. Systems with the half bands that spots have get
// their coupling from sums in float, and what it takes is summed in float, too; wider
// ones may be those that need double.
template <int Band>
class Messages {
  using F = Factor<Band>;
  using Number = typename NumberOf<(Band <= largest_spot_band)>::type;
  using Half = typename Lanes<Number, lanes>::type;
  using Both = typename Lanes<Number, 2 * lanes>::type;

  static constexpr int both = 2 * lanes;
  static constexpr int row_size = (Band + 1) * both;
  static constexpr int reach = Band + 1;  // columns that K is computed for, less one
  // Columns of W end at least this many rows below X: further down they have decayed.
  static constexpr int tail = Band;
  // Whether rows and sums stay in registers, and of how many columns at a time: these
  // share what is loaded.
  static constexpr bool many_registers = register_bytes == 64;
  static constexpr bool in_registers = many_registers && Band <= largest_spot_band;
  static constexpr int group = many_registers && Band <= 12 ? 2 : 1;
  static constexpr int unrolled = in_registers ? 4 : 1;   // rows: else registers move
  static constexpr int lead = in_registers ? 0 : Band;    // rows of zeros above a column
  static constexpr int below = in_registers ? 0 : reach;  // and below
  static constexpr int kept = reach + group;              // columns
  static constexpr int sums = in_registers ? kept : register_bytes / 8;
  static constexpr int all_sums = (kept + sums - 1) / sums * sums;

 public:
  Messages(const BlockSystem &system, double *scratch)
      : couplings_(system),
        nbin_(system.nbin),
        nlag_(system.nlag),
        shift_{couplings_.first_row(0), couplings_.first_column(0)},
        height_((group - 1 + nlag_ + tail + unrolled - 1) / unrolled * unrolled),
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
    double *k;                  // what the target loses
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
      for (int j = nbin_ > Band ? nbin_ - Band : 0; j < nbin_; ++j)
        for (int m = nbin_ - j; m <= Band; ++m)
          store(message->k + ptrdiff_t{j} * F::column_size + m * lanes, Vector{});
  }

  // The largest share that was taken from a diagonal element.
  Vector coupling() const { return larger(largest_share_); }
  // Squared, relative to the target's diagonal elements, the largest of what is left out:
  // K just beyond the band, and what rows of W that are not computed would add.
  Vector beyond() const { return larger(beyond_); }

 private:
  static Vector larger(const Both &value) {
    return maximum(convert<Vector>(low_half(value)), convert<Vector>(high_half(value)));
  }

  // Rows and columns of half h.
  void scale(int h, const Message &message) {
    for (int j = 0; j < nbin_; ++j) {
      const Vector diagonal = load(message.target_band + ptrdiff_t{j} * F::column_size);
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
    const double *down[group];
    const double *along[group];
    Both scale[group];
    int lags[group];
    Couplings::Range rows[group];
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
      if (k >= rows[c].first && k < rows[c].end)
        low = convert<Half>(load(down[c] + k * step));
      return side_by_side<Both>(low, convert<Half>(load(along[c] + k * lanes)));
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
    if (column >= reach) beyond_ = maximum(beyond_, total[reach] * total[reach]);
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
    beyond_ = maximum(beyond_, largest_cut_ * (energy(reach) + cut));
  }

  // A column of K, in half h.
  void take(int h, int column, const Both (&total)[all_sums], double *k) {
    const double *target = target_ + (ptrdiff_t{h} * nbin_ + column) * lanes;
    const Vector own = load(target);
    for (int m = 0; m <= Band && m <= column; ++m) {
      const Vector share =
          convert<Vector>(h == 0 ? low_half(total[m]) : high_half(total[m]));
      store(k + ptrdiff_t{column - m} * F::column_size + m * lanes,
            share * own * load(target - m * lanes));
    }
  }

  Couplings couplings_;
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

template <int Band>
int eliminate_fibers(const BlockSystem &system, const Elimination &e, Checks &checks) {
  using F = Factor<Band>;
  const int last = system.nfiber - 1;
  const ptrdiff_t band_size = static_cast<ptrdiff_t>(system.nbin) * F::column_size;
  const auto factor_size = static_cast<ptrdiff_t>(F::size(system.nbin));
  double *right_factor = e.scratch;
  Messages<Band> messages(system, right_factor + factor_size);
  // What is left of fibre f once those before it, in this direction, are eliminated.
  const auto marginal = [&](int f, const double *taken) {
    return [own = system.band + f * band_size,
            less = taken == nullptr ? nullptr : taken + f * band_size](int j, int m) {
      const ptrdiff_t at = j * ptrdiff_t{F::column_size} + m * lanes;
      return less == nullptr ? load(own + at) : load(own + at) - load(less + at);
    };
  };
  F::clear_ends(system.nbin, right_factor);
  for (int f = 0; f <= last; ++f)
    F::clear_ends(system.nbin, e.left_factor + f * factor_size);
  Integers good = ~Integers{};
  // Neither direction waits for the other.
  for (int f = 0; f < last; ++f) {
    const int g = last - f;
    const auto left = marginal(f, f == 0 ? nullptr : e.from_left);
    const auto right = marginal(g, f == 0 ? nullptr : e.from_right);
    double *left_factor = e.left_factor + f * factor_size;
    good &= factorise<Band, 2>(
        system.nbin, {left_factor, right_factor},
        [&](int k, int j, int m) { return k == 0 ? left(j, m) : right(j, m); });
    messages.send({f, left_factor, system.band + (f + 1) * band_size,
                   e.from_left + (f + 1) * band_size},
                  {g - 1, right_factor, system.band + (g - 1) * band_size,
                   e.from_right + (g - 1) * band_size});
  }
  const auto left = marginal(last, last == 0 ? nullptr : e.from_left);
  good &= factorise<Band, 1>(system.nbin, {e.left_factor + last * factor_size},
                             [&](int, int j, int m) { return left(j, m); });
  note(messages.coupling(), checks.coupling);
  note(messages.beyond(), checks.truncation);  // squared here: the caller takes the root
  return bits(good);
}

}  // namespace

size_t factor_size(int nbin, int half_band) {
  return for_half_band(half_band, [&]<int Band>() { return Factor<Band>::size(nbin); });
}

size_t elimination_scratch(const BlockSystem &system) {
  return for_half_band(system.half_band, [&]<int Band>() {
    return Factor<Band>::size(system.nbin) + Messages<Band>(system, nullptr).size();
  });
}

int eliminate(const BlockSystem &system, const Elimination &elimination, Checks &checks) {
  return for_half_band(system.half_band, [&]<int Band>() {
    return eliminate_fibers<Band>(system, elimination, checks);
  });
}

}  // namespace specex::SPECEX_ISA
