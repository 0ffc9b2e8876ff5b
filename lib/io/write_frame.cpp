// SPDX-License-Identifier: BSD-3-Clause
#include "io/write_frame.hpp"

#include <memory>

#include "base/array_memory.hpp"
#include "base/error.hpp"
#include "io/scores.hpp"

namespace specex::io {
namespace {

void check(const specex_frame &frame, const Output &output) {
  check_host_memory("frame", frame.memory);
  if (frame.nspec < 1 || frame.nwave < 1 || frame.nwave > limits::pixels)
    fail(SPECEX_ERROR_ARGUMENT, "frame.nspec = %d or frame.nwave = %lld is not valid",
         frame.nspec, static_cast<long long>(frame.nwave));
  if (frame.first_fiber < 0)
    fail(SPECEX_ERROR_ARGUMENT, "frame.first_fiber = %d is negative", frame.first_fiber);
  if (frame.flux == nullptr) fail(SPECEX_ERROR_ARGUMENT, "frame.flux is NULL");
  if (frame.resolution != nullptr && frame.ndiag < 1)
    fail(SPECEX_ERROR_ARGUMENT, "frame.ndiag = %d is not valid", frame.ndiag);
  const int64_t planes = frame.resolution != nullptr ? frame.ndiag : 1;
  int64_t pixels = 0;
  if (__builtin_mul_overflow(frame.nspec * planes, frame.nwave, &pixels) ||
      pixels > limits::pixels)
    fail(SPECEX_ERROR_LIMIT, "the frame has more than %lld elements in an array",
         static_cast<long long>(limits::pixels));
  if (output.scores && (frame.wavelength == nullptr || frame.ivar == nullptr))
    fail(SPECEX_ERROR_ARGUMENT, "scores need frame.wavelength and frame.ivar");
}

// The FIBERMAP of the input and those of its rows that are the frame's.
class Fibermap {
 public:
  Fibermap(const specex_frame &frame, const Output &output) {
    const Buffer *source = output.fibermap_file();
    if (source == nullptr) return;
    file_ = std::make_unique<FitsFile>("the FIBERMAP passed through", source->clone());
    table_ = &file_->hdus().back();
    count_ = frame.nspec;
    if (table_->nrow == frame.nspec) return;
    first_ = frame.first_fiber;
    if (first_ + count_ <= table_->nrow) return;
    if (output.fibermap != nullptr)
      fail(SPECEX_ERROR_FORMAT,
           "the FIBERMAP has %lld rows, which are not those of fibers %lld to %lld",
           static_cast<long long>(table_->nrow), static_cast<long long>(first_),
           static_cast<long long>(first_ + count_ - 1));
    table_ = nullptr;
  }

  void write(FitsBuilder &builder) {
    if (table_ != nullptr) builder.copy_table(*file_, *table_, first_, count_);
  }

  // Empty if there are none.
  std::vector<int64_t> target_ids() {
    if (table_ == nullptr) return {};
    const auto column = file_->find_column(*table_, "TARGETID");
    if (column.number == 0 || column.repeat != 1) return {};
    const auto all = file_->read_integers(*table_, "TARGETID");
    const auto begin = all.begin() + first_;
    return {begin, begin + count_};
  }

 private:
  std::unique_ptr<FitsFile> file_;
  const Hdu *table_ = nullptr;  // NULL: none to write
  int64_t first_ = 0;
  int64_t count_ = 0;
};

void write_header(FitsBuilder &builder, const specex_frame &frame, const Output &output) {
  std::vector<std::string> own = {"NSPEC", "FIBERMIN"};
  if (frame.wavelength != nullptr)
    own.insert(own.end(), {"WAVEMIN", "WAVEMAX", "WAVESTEP"});
  write_keys(builder, output.keys(), output.cards, output.ncard, own);
  const auto is_ours = [&output](const char *name) {
    return !has_card(output.cards, output.ncard, name);
  };
  if (is_ours("BUNIT")) builder.write_text("BUNIT", "electron/Angstrom", nullptr);
  if (is_ours("NSPEC")) builder.write_integer("NSPEC", frame.nspec, "number of spectra");
  if (is_ours("FIBERMIN"))
    builder.write_integer("FIBERMIN", frame.first_fiber, "first fiber");
  if (frame.wavelength == nullptr) return;
  const double first = frame.wavelength[0];
  const double last = frame.wavelength[frame.nwave - 1];
  if (is_ours("WAVEMIN"))
    builder.write_real("WAVEMIN", first, "first wavelength [Angstrom]");
  if (is_ours("WAVEMAX"))
    builder.write_real("WAVEMAX", last, "last wavelength [Angstrom]");
  if (is_ours("WAVESTEP") && frame.nwave > 1)
    builder.write_real("WAVESTEP", (last - first) / static_cast<double>(frame.nwave - 1),
                       "wavelength step [Angstrom]");
}

// NULL pixels: no HDU.
void write_array(FitsBuilder &builder, const char *name, Pixels type,
                 const std::vector<int64_t> &shape, const double *pixels) {
  if (pixels == nullptr) return;
  builder.begin_image(name, type, shape);
  int64_t count = 1;
  for (const int64_t axis : shape) count *= axis;
  builder.write_pixels(pixels, count);
}

void write_scores(FitsBuilder &builder, const specex_frame &frame,
                  const std::vector<int64_t> &target_ids, int threads) {
  if (frame.nwave < 2) return;
  const Scores scores = compute_scores(frame, threads);
  if (scores.band.empty()) return;
  std::vector<FitsBuilder::Column> columns;
  if (!target_ids.empty()) columns.push_back({"TARGETID", "K", "target of the fiber"});
  columns.push_back({"SUM_RAW_COUNT_" + scores.band, "D", "sum of flux in the band"});
  columns.push_back({"MEDIAN_RAW_COUNT_" + scores.band, "D", "median of flux/bin width"});
  columns.push_back(
      {"MEDIAN_RAW_SNR_" + scores.band, "D", "median SNR per sqrt(Angstrom)"});
  builder.begin_table("SCORES", frame.nspec, columns);
  int number = 0;
  if (!target_ids.empty()) builder.write_column(++number, target_ids);
  for (const auto *values : {&scores.sum, &scores.median, &scores.median_snr})
    builder.write_column(++number, values->data(), frame.nspec);
}

}  // namespace

void write_frame(const char *name, const specex_frame &frame, const Output &output) {
  check(frame, output);
  check_cards(output.cards, output.ncard);
  const std::vector<int64_t> spectra = {frame.nspec, frame.nwave};
  Fibermap fibermap(frame, output);
  FitsBuilder builder(output.threads);
  builder.begin_image("FLUX", output.real(), spectra);
  write_header(builder, frame, output);
  builder.write_pixels(frame.flux, frame.nspec * frame.nwave);
  write_array(builder, "IVAR", output.real(), spectra, frame.ivar);
  if (frame.mask != nullptr) {
    builder.begin_image("MASK", Pixels::uint32, spectra);
    builder.write_pixels(frame.mask, frame.nspec * frame.nwave);
  }
  if (frame.wavelength != nullptr) {
    builder.begin_image("WAVELENGTH", Pixels::float64, {frame.nwave});
    builder.write_text("BUNIT", "Angstrom", nullptr);
    builder.write_pixels(frame.wavelength, frame.nwave);
  }
  write_array(builder, "RESOLUTION", output.real(),
              {frame.nspec, frame.ndiag, frame.nwave}, frame.resolution);
  fibermap.write(builder);
  write_array(builder, "CHI2PIX", output.real(), spectra, frame.chi2pix);
  write_array(builder, "PIXMASK_FRACTION", output.real(), spectra,
              frame.pixmask_fraction);
  if (output.scores) write_scores(builder, frame, fibermap.target_ids(), output.threads);
  builder.save(name);
}

}  // namespace specex::io
