// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/cpu/piece.hpp"

#include <algorithm>
#include <bit>
#include <climits>
#include <cmath>

#include "base/stage_clock.hpp"
#include "kernels/cpu/simd/half_band.hpp"

namespace specex {
namespace {

constexpr int width = simd::width;
constexpr int chunk_bins = 128;  // of a fibre, before it is the next one's turn
constexpr int max_lags = 48;
constexpr int64_t max_strip_pixels = int64_t{1} << 26;
constexpr size_t max_kept_pixels = size_t{1} << 29;  // of all stamps, 2 GiB

size_t at(int64_t index) { return static_cast<size_t>(index); }

int round_up(int count) { return (count + width - 1) / width * width; }

// The multiple of 8 at or below.
int align_down(int column) { return column & ~(width - 1); }

// For rising rows `ours` and `theirs`: calls visit(w, low, high) with the bins [low,
// high) whose stamps share rows with our bin w.
template <class Visit>
void for_each_meeting(const int *ours, const int *theirs, int nbin, int ny,
                      Visit &&visit) {
  int low = 0;
  int high = 0;
  for (int w = 0; w < nbin; ++w) {
    while (low < nbin && theirs[low] <= ours[w] - ny) ++low;
    high = std::max(high, low);
    while (high < nbin && theirs[high] < ours[w] + ny) ++high;
    visit(w, low, high);
  }
}

bool rise(const int *rows, int nbin) {
  int falls = 0;  // without a branch, as below: several bins at a time
  for (int w = 1; w < nbin; ++w) falls |= int{rows[w] < rows[w - 1]};
  return falls == 0;
}

// Whether these are the lags of all bins that meet. Rows rise: where the next lag on
// either side is out of reach, those beyond it are, too.
bool holds_all(const Piece::Lags &lags, const int *ours, const int *theirs, int nbin,
               int ny) {
  if (lags.empty()) return false;
  const int later = lags.highest + 1;
  const int earlier = lags.lowest - 1;
  int more = 0;
  for (int w = std::max(0, -later); w < std::min(nbin, nbin - later); ++w)
    more |= int{theirs[w + later] < ours[w] + ny};
  for (int w = std::max(0, -earlier); w < std::min(nbin, nbin - earlier); ++w)
    more |= int{theirs[w + earlier] > ours[w] - ny};
  return more == 0;
}

void widen(Piece::Lags &lags, const int *ours, const int *theirs, int nbin, int ny) {
  if (holds_all(lags, ours, theirs, nbin, ny)) return;
  for_each_meeting(ours, theirs, nbin, ny, [&](int w, int low, int high) {
    if (low >= high) return;
    lags.lowest = std::min(lags.lowest, low - w);
    lags.highest = std::max(lags.highest, high - 1 - w);
  });
}

}  // namespace

bool Piece::prepare(const Run &run, const PieceShape &shape, KeptSpots &kept_spots,
                    size_t number) {
  const StageScope pixels_stage(SPECEX_STAGE_PIXELS);
  run_ = &run;
  model_ = dynamic_cast<const GaussHermiteSpots *>(&run_->spots);
  if (model_ == nullptr) return false;
  shape_ = shape;
  const Psf &psf = run_->psf;
  const simd::StampLayout before = layout_;
  layout_.nx = psf.spot_nx();
  layout_.ny = psf.spot_ny();
  layout_.row = round_up(layout_.nx + width - 1);
  layout_.size = layout_.row * (layout_.ny + 1);
  if (layout_.row != before.row || layout_.size != before.size) {
    // The rows of zeros between stamps are elsewhere: in new memory all are.
    kept_ = {};
    ring_ = {};
  }
  make_bases();
  find_corners();
  if (!find_bands()) return false;
  find_edges();
  if (!fill_strip()) return false;

  const size_t bins = at(shape.nfiber) * at(shape.nbin);
  if (bins > max_kept_pixels / at(layout_.size)) return false;
  kept_.resize(at(layout_.row) + bins * at(layout_.size));
  band_.resize(bins * band_stride());
  cross_.resize(bins * lag_stride() + 2 * width);
  for (auto *array : {&data_, &weight_, &masked_, &scale_, &far_coupling_, &edge_share_})
    array->resize(bins);
  ring_bins_ = static_cast<int>(std::bit_ceil(static_cast<unsigned>(half_band_ + width)));
  ring_.resize(at(layout_.row) + at(shape.nfiber) * at(ring_bins_) * at(layout_.size));
  stamps_.resize(width * at(layout_.size));
  kept_spots_ = kept_spots.part(
      number, shape,
      at(shape.nfiber) * at(round_up(shape.nbin)) * at(layout_.nx) * at(layout_.ny));
  form_blocks();
  return true;
}

// Fibres take turns, so that stamps and pixels are still in cache when a neighbour needs
// them: from the last one on, each as far as the next fibre's stamps are there.
void Piece::form_blocks() {
  const StageScope stage(SPECEX_STAGE_BLOCKS);
  evaluated_.assign(at(shape_.nfiber), 0);
  while (evaluated_.front() < shape_.nbin) {
    int end = evaluated_.back() + chunk_bins;
    for (int f = shape_.nfiber - 1; f >= 0; --f) {
      form_rows(f, std::min(end, shape_.nbin));
      const int done = evaluated_[at(f)];
      end = done < shape_.nbin ? done - lead_ : done;
    }
  }
  if (kept_spots_ != nullptr) kept_spots_->evaluated = true;
}

void Piece::make_bases() {
  const int count = shape_.nbin + width;  // the last batch of 8 may go beyond the end
  const auto basis = [&](const LegendreTable &table, LegendreBasis &own) {
    own.tabulate(table, at(count),
                 [&](size_t w) { return shape_.wave(static_cast<int>(w)); });
    return simd::Basis{own.values.data(), count};
  };
  bases_.xtrace = basis(run_->psf.xtrace, xbasis_);
  bases_.ytrace = basis(run_->psf.ytrace, ybasis_);
  bases_.shape = basis(run_->psf.parameters.front().second, shape_basis_);
}

void Piece::find_corners() {
  const Psf &psf = run_->psf;
  const auto nbin = at(shape_.nbin);
  for (auto *array : {&corner_x_, &x0_, &y0_})
    array->resize(at(shape_.nfiber) * nbin + width);
  columns_.assign(at(shape_.nfiber), {INT_MAX, INT_MIN});
  std::vector<double> positions(nbin);
  for (int f = 0; f < shape_.nfiber; ++f) {
    const int fiber = shape_.first_fiber + f;
    int *corner_x = &corner_x_[index(f, 0)];
    int *x0 = &x0_[index(f, 0)];
    int *y0 = &y0_[index(f, 0)];
    int low = INT_MAX;
    int high = INT_MIN;
    xbasis_.evaluate(psf.xtrace, fiber, nbin, positions.data());
    for (size_t w = 0; w < nbin; ++w) {
      corner_x[w] = corner_pixel(positions[w], psf.hsizex);
      x0[w] = align_down(corner_x[w]);
      low = std::min(low, corner_x[w]);
      high = std::max(high, corner_x[w]);
    }
    columns_[at(f)] = {low, high};
    ybasis_.evaluate(psf.ytrace, fiber, nbin, positions.data());
    for (size_t w = 0; w < nbin; ++w) y0[w] = corner_pixel(positions[w], psf.hsizey);
  }
}

bool Piece::find_bands() {
  const int nbin = shape_.nbin;
  for (Lags &lags : lags_) lags = {INT_MAX, INT_MIN};
  for (int f = 0; f < shape_.nfiber; ++f)
    if (!rise(&y0_[index(f, 0)], nbin)) return false;
  const int wanted = run_->psf.ndiag() / 2;  // as many diagonals of Q are
  Lags own{-wanted, wanted};
  for (int f = 0; f < shape_.nfiber; ++f) {
    const int *rows = &y0_[index(f, 0)];
    widen(own, rows, rows, nbin, layout_.ny);
    for (int apart = 1; apart <= 2 && f + apart < shape_.nfiber; ++apart)
      widen(lags_[apart - 1], rows, rows + apart * nbin, nbin, layout_.ny);
  }
  const int band = own.highest;
  half_band_ = band > simd::largest_spot_band ? 0 : simd::half_band_for(band);
  band_stride_ = round_up(half_band_ + 1);
  lag_stride_ = round_up(nlag());
  lead_ = round_up(std::max({lags(1).highest, (lags(2).highest + 1) / 2, 0}));
  return half_band_ > 0 && nlag() <= max_lags;
}

// Where fibres that are not next to each other see each other's light: fiber_block()
// measures how much of it there is.
void Piece::find_edges() {
  const int nbin = shape_.nbin;
  const size_t bins = at(shape_.nfiber) * at(nbin);
  left_x_.assign(bins, INT_MIN / 2);
  right_x_.assign(bins, INT_MAX / 2);
  const auto see = [&](int f, int g) {
    for_each_meeting(&y0_[index(f, 0)], &y0_[index(g, 0)], nbin, layout_.ny,
                     [&](int w, int low, int high) {
                       if (low >= high) return;
                       // Traces are smooth: the ends of the range bound it, to a pixel.
                       const auto [near, far] = std::minmax(
                           corner_x_[index(g, low)], corner_x_[index(g, high - 1)]);
                       int &left = left_x_[index(f, w)];
                       int &right = right_x_[index(f, w)];
                       if (near >= corner_x_[index(f, w)])
                         right = std::min(right, near - 1);
                       else
                         left = std::max(left, far + layout_.nx + 1);
                     });
  };
  for (int f = 0; f < shape_.nfiber; ++f)
    for (int g = f + 3; g < shape_.nfiber; ++g) {
      const Columns &ours = columns_[at(f)];
      const Columns &theirs = columns_[at(g)];
      if (ours.low >= theirs.high + layout_.nx || theirs.low >= ours.high + layout_.nx)
        continue;
      see(f, g);
      see(g, f);
    }
}

bool Piece::fill_strip() {
  const specex_image &image = run_->image;
  Box corners = no_box;
  for (int f = 0; f < shape_.nfiber; ++f) {
    const auto [low, high] = columns_[at(f)];
    // Rows rise with the bins.
    corners = around(
        corners, {align_down(low), align_down(high), y0(f, 0), y0(f, shape_.nbin - 1)});
  }
  strip_.xmin = corners.xmin;
  strip_.ymin = corners.ymin;
  const int64_t columns = int64_t{corners.xmax} - corners.xmin + layout_.row;
  const int64_t rows = int64_t{corners.ymax} - corners.ymin + layout_.ny;
  if (columns * rows > max_strip_pixels) return false;
  strip_.stride = columns;
  const auto count = at(columns * rows);
  double *values = strip_values_.resize(count);
  double *weights = strip_weights_.resize(count);
  float *float_weights = strip_float_weights_.resize(count);
  strip_.values = values;
  strip_.weights = weights;
  strip_.float_weights = float_weights;

  const int64_t first = std::clamp<int64_t>(strip_.xmin, 0, image.nx);
  const int64_t end = std::clamp<int64_t>(strip_.xmin + columns, first, image.nx);
  double highest = 0.0;
  for (int64_t r = 0; r < rows; ++r) {
    const int64_t y = strip_.ymin + r;
    double *value = values + r * columns;
    double *weight = weights + r * columns;
    float *float_weight = float_weights + r * columns;
    const bool on_ccd = y >= 0 && y < image.ny && first < end;
    const int64_t left = on_ccd ? first - strip_.xmin : columns;
    const int64_t right = on_ccd ? end - strip_.xmin : columns;
    const auto clear = [&](int64_t from, int64_t to) {
      std::fill(value + from, value + to, 0.0);
      std::fill(weight + from, weight + to, 0.0);
      std::fill(float_weight + from, float_weight + to, 0.0F);
    };
    clear(0, left);
    clear(right, columns);
    if (!on_ccd) continue;
    const auto clean = [&]<class T>(double (*kernel)(const T *, const T *, ptrdiff_t,
                                                     double *, double *, float *)) {
      const T *pixels = static_cast<const T *>(image.pixels) + y * image.pixels_stride;
      const T *ivar = static_cast<const T *>(image.ivar) + y * image.ivar_stride;
      return kernel(pixels + first, ivar + first, end - first, value + left,
                    weight + left, float_weight + left);
    };
    const double of_row = image.type == SPECEX_FLOAT32 ? clean(kernels_.clean_floats)
                                                       : clean(kernels_.clean_doubles);
    highest = std::max(highest, of_row);
  }
  // The coupling of fibres is summed in float: extreme weights are brought into its
  // range, by an even power of 2, which changes no bit of the result.
  weight_scale_ = 1.0;
  if (highest > 0.0 && (highest > 1e20 || highest < 1e-20)) {
    int exponent = 0;
    std::frexp(highest, &exponent);
    weight_scale_ = std::ldexp(1.0, std::clamp(-exponent & ~1, -1000, 1000));
    for (size_t k = 0; k < count; ++k) {
      weights[k] *= weight_scale_;
      float_weights[k] = static_cast<float>(weights[k]);
    }
  }
  return true;
}

void Piece::load_fiber(int f) {
  const Psf &psf = run_->psf;
  const auto row = [&](const LegendreTable &table) {
    return table.coefficients.data() + at(shape_.first_fiber + f) * at(table.ncoef);
  };
  const int ncoef = model_->sigma_x().ncoef;  // of all parameters
  terms_.assign(at((psf.ghdegx + 1) * (psf.ghdegy + 1) * ncoef), 0.0);
  for (const GaussHermiteSpots::Term &term : model_->terms())
    std::copy_n(row(*term.coefficient), ncoef,
                &terms_[at((term.i * (psf.ghdegy + 1) + term.j) * ncoef)]);
  tail_.clear();
  for (const LegendreTable *table : model_->tail())
    tail_.insert(tail_.end(), row(*table), row(*table) + ncoef);
  fiber_psf_ = {psf.hsizex,
                psf.hsizey,
                psf.ghdegx,
                psf.ghdegy,
                psf.xtrace.ncoef,
                psf.ytrace.ncoef,
                ncoef,
                row(psf.xtrace),
                row(psf.ytrace),
                row(model_->sigma_x()),
                row(model_->sigma_y()),
                terms_.data(),
                model_->has_tail() ? tail_.data() : nullptr};
  spot_scratch_.resize(kernels_.spot_scratch(fiber_psf_));
}

// Stamps of 8 bins, the first a multiple of 8, of the fibre that was loaded.
template <class Slot>
void Piece::fill_batch(int f, int first, Slot &&slot) {
  const StageScope stage(SPECEX_STAGE_SPOTS);
  int corner_x[width];
  int corner_y[width];
  int shift[width];
  double *stamps[width];
  for (int k = 0; k < width; ++k) {
    const size_t bin = index(f, std::min(first + k, shape_.nbin - 1));
    corner_x[k] = corner_x_[bin];
    corner_y[k] = y0_[bin];
    shift[k] = corner_x_[bin] - x0_[bin];
    stamps[k] = slot(first + k);
  }
  double *kept =
      kept_spots_ == nullptr
          ? nullptr
          : kept_spots_->values.data() + (at(f) * at(round_up(shape_.nbin)) + at(first)) *
                                             at(layout_.nx) * at(layout_.ny);
  if (kept != nullptr && kept_spots_->evaluated) {
    kernels_.place_spots(layout_, kept, shift, stamps);
    return;
  }
  kernels_.evaluate_spots(fiber_psf_, bases_, first, corner_x, corner_y, shift, stamps,
                          spot_scratch_.data());
  if (kept != nullptr) kernels_.take_spots(layout_, stamps, shift, kept);
}

SpotTable Piece::spots(const specex_patch &patch) {
  SpotTable table;
  table.resize(run_->psf, patch.pad_first_fiber, patch.pad_nfiber, patch.pad_first_bin,
               patch.pad_nbin);
  const int begin = patch.pad_first_bin - shape_.first_bin;
  const int end = begin + patch.pad_nbin;
  const auto slot = [&](int w) {
    return stamps_.data() + at(w % width) * at(layout_.size);
  };
  for (int fiber = patch.pad_first_fiber;
       fiber < patch.pad_first_fiber + patch.pad_nfiber; ++fiber) {
    const int f = fiber - shape_.first_fiber;
    load_fiber(f);
    for (int first = begin & ~(width - 1); first < end; first += width) {
      fill_batch(f, first, slot);
      for (int w = std::max(first, begin); w < std::min(first + width, end); ++w) {
        const Corner corner{corner_x_[index(f, w)], y0_[index(f, w)]};
        double *spot = table.place(fiber, shape_.first_bin + w, corner);
        const double *row = slot(w) + corner.x - x0_[index(f, w)];
        for (int r = 0; r < layout_.ny; ++r, row += layout_.row, spot += layout_.nx)
          std::copy_n(row, layout_.nx, spot);
      }
    }
  }
  return table;
}

simd::FiberStamps Piece::stamps_of(int f) const {
  if (f >= shape_.nfiber) return {};
  return {stamp(f, 0), &x0_[index(f, 0)], &y0_[index(f, 0)]};
}

// Evaluates a fibre's spots up to bin `end` and forms the rows whose spots are all there.
void Piece::form_rows(int f, int end) {
  int &evaluated = evaluated_[at(f)];
  if (evaluated >= end) return;
  load_fiber(f);
  const size_t own = index(f, 0);
  const auto size = at(layout_.size);
  double *ring = ring_.data() + layout_.row + at(f) * at(ring_bins_) * size;
  const auto slot = [&](int w) { return ring + at(w & (ring_bins_ - 1)) * size; };
  simd::FiberBlock block{layout_,
                         strip_,
                         ring,
                         ring_bins_,
                         0,
                         std::max(0, evaluated - half_band_),
                         shape_.nbin,
                         half_band_,
                         band_stride_,
                         first_lag(),
                         nlag(),
                         lag_stride_,
                         stamps_of(f),
                         stamps_of(f + 1),
                         kept_.data() + at(layout_.row) + own * size,
                         band_.data() + own * band_stride(),
                         cross_.data() + width + own * lag_stride(),
                         &data_[own],
                         &weight_[own],
                         &masked_[own],
                         &scale_[own],
                         stamps_of(f + 2),
                         f + 2 < shape_.nfiber ? &scale_[index(f + 2, 0)] : nullptr,
                         &left_x_[own],
                         &right_x_[own],
                         &far_coupling_[own],
                         &edge_share_[own]};
  while (evaluated < end) {
    fill_batch(f, evaluated, slot);
    evaluated += width;
    block.first = block.end;
    block.end = evaluated >= shape_.nbin ? shape_.nbin : evaluated - half_band_;
    block.end = std::max(block.first, block.end);
    std::fill_n(block.cross + at(block.first) * lag_stride(),
                at(block.end - block.first) * lag_stride(), 0.0F);
    kernels_.fiber_block(block);
  }
}

}  // namespace specex
