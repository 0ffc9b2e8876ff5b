// SPDX-License-Identifier: BSD-3-Clause
#include "demo_picture.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <span>

#include "svg_plot.hpp"

namespace specex_cli {

namespace {

constexpr double page_width = 1200, page_height = 1330;
constexpr double left = 96, right = 1160;  // of the plots

constexpr const char *extracted_color = "#1d5fa6";
constexpr const char *truth_color = "#e8731a";
constexpr const char *quiet_color = "#5b6472";

// What is shown closely, chosen for its emission lines.
constexpr Range close_wave{6470, 6620};  // Angstrom
constexpr int32_t first_shown = 30, last_shown = 40;
constexpr std::array<int32_t, 2> close_fibers{34, 32};
constexpr int32_t whole_fiber = 40;

struct Mark {
  double wave;  // Angstrom
  const char *name;
};

struct TracePoint {
  double x, y;
};

TracePoint trace(const Context &context, int32_t fiber, double wave) {
  TracePoint point{};
  check(specex_trace(context.get(), fiber, &wave, 1, &point.x, &point.y), context.get());
  return point;
}

void panel_title(SvgFigure &figure, double y, char letter, const std::string &title,
                 const std::string &note, double x = left) {
  figure.rectangle({x - 1, y - 17, 24, 24}, "#222b36", 1, "none", 5);
  figure.text(x + 11, y, std::string(1, letter), {14, "#ffffff", Anchor::middle, true});
  figure.text(x + 34, y, title, {16, "#222b36", Anchor::start, true});
  figure.text(x + 34, y + 20, note, {13, quiet_color});
}

// The pixels are shown on their side, so that wavelength runs to the right, and the row
// range is that of the first close fibre: its spectrum below lies under its image.
void draw_image(SvgFigure &figure, const Context &context, const specex_image &image,
                const Box &box) {
  const auto *pixels = static_cast<const float *>(image.pixels);
  const double row_low = trace(context, close_fibers[0], close_wave.low).y;
  const double row_high = trace(context, close_fibers[0], close_wave.high).y;
  const auto row0 = static_cast<int64_t>(std::lround(row_low));
  const auto nrow = std::lround(row_high) - row0;
  const double middle_wave = (close_wave.low + close_wave.high) / 2;
  const auto column0 =
      static_cast<int64_t>(trace(context, first_shown, middle_wave).x) - 5;
  const auto column1 =
      static_cast<int64_t>(trace(context, last_shown, middle_wave).x) + 6;

  constexpr int nlevel = 24;
  constexpr double darkest = -6, brightest = 260, knee = 8;  // electrons
  const double low = std::asinh(darkest / knee), high = std::asinh(brightest / knee);
  std::vector<uint8_t> levels;
  for (int64_t column = column1; column-- > column0;)  // fibre numbers rise upwards
    for (int64_t row = row0; row < row0 + nrow; ++row) {
      const double value = pixels[row * image.pixels_stride + column];
      const double fraction = (std::asinh(value / knee) - low) / (high - low);
      levels.push_back(static_cast<uint8_t>(
          std::lround(std::clamp(fraction, 0.0, 1.0) * (nlevel - 1))));
    }
  figure.image(box, levels, static_cast<size_t>(nrow), nlevel);

  SvgAxes axes(figure, box, {static_cast<double>(row0), static_cast<double>(row0 + nrow)},
               {static_cast<double>(column0), static_cast<double>(column1)});
  axes.frame("CCD row (pixels)", "");
  figure.text(box.x - 52, box.y + box.height / 2, "fibre",
              {13, quiet_color, Anchor::middle, false, -90});
  for (int32_t fiber = first_shown; fiber <= last_shown; ++fiber) {
    const bool close = std::count(close_fibers.begin(), close_fibers.end(), fiber) > 0;
    figure.text(box.x - 8, axes.y(trace(context, fiber, close_wave.low).x + 0.5) + 4,
                std::to_string(fiber), {12, quiet_color, Anchor::end, close});
  }

  // The scale of brightness, over the panel's right end.
  const double scale_width = 220, x = box.x + box.width - scale_width, y = box.y - 26;
  constexpr int nstep = 44;
  for (int k = 0; k < nstep; ++k)
    figure.rectangle({x + k * scale_width / nstep, y, scale_width / nstep + 0.5, 10},
                     intensity_color(k / (nstep - 1.0)));
  for (const double value : {0, 10, 30, 100, 250}) {
    const double fraction = (std::asinh(value / knee) - low) / (high - low);
    figure.text(x + fraction * scale_width, y - 6, std::to_string(std::lround(value)),
                {12, quiet_color, Anchor::middle});
  }
  figure.text(x - 14, y - 6, "electrons", {12, quiet_color, Anchor::end});
}

struct Curves {
  std::vector<double> wave, flux, low, high, expected;
};

Curves curves(const Demonstration &demonstration, int32_t fiber, Range wave) {
  const specex_frame &frame = demonstration.frame;
  Curves result;
  for (int64_t bin = 0; bin < frame.nwave; ++bin) {
    if (frame.wavelength[bin] < wave.low || frame.wavelength[bin] > wave.high) continue;
    const int64_t i = (fiber - frame.first_fiber) * frame.nwave + bin;
    const double error = frame.ivar[i] > 0 ? 1 / std::sqrt(frame.ivar[i]) : 0;
    result.wave.push_back(frame.wavelength[bin]);
    result.flux.push_back(frame.flux[i]);
    result.low.push_back(frame.flux[i] - error);
    result.high.push_back(frame.flux[i] + error);
    result.expected.push_back(demonstration.comparison.expected[static_cast<size_t>(i)]);
  }
  return result;
}

void name_fiber(SvgFigure &figure, const Box &box, int32_t fiber) {
  figure.text(box.x + 12, box.y + 20, "fibre " + std::to_string(fiber),
              {13, "#222b36", Anchor::start, true});
}

void draw_close(SvgFigure &figure, const Demonstration &demonstration, int32_t fiber,
                const Box &box, const std::string &x_label,
                std::initializer_list<Mark> marks) {
  const Curves data = curves(demonstration, fiber, close_wave);
  const double highest = *std::max_element(data.expected.begin(), data.expected.end());
  SvgAxes axes(figure, box, close_wave, {0, 1.4 * highest});
  axes.frame(x_label, "electron / Å");
  axes.band(data.wave, data.low, data.high, extracted_color, 0.28);
  axes.curve(data.wave, data.expected, truth_color, 3.2, 0.9);
  axes.curve(data.wave, data.flux, extracted_color, 1.5);
  name_fiber(figure, box, fiber);
  for (const Mark &mark : marks) {
    double peak = 0;
    for (size_t i = 0; i < data.wave.size(); ++i)
      if (std::abs(data.wave[i] - mark.wave) < 2)
        peak = std::max({peak, data.high[i], data.expected[i]});
    figure.text(axes.x(mark.wave), axes.y(peak) - 7, mark.name,
                {12, quiet_color, Anchor::middle});
  }
}

// The sky's tallest lines would flatten the rest: they are cut.
void draw_whole(SvgFigure &figure, const Demonstration &demonstration, const Box &box) {
  const specex_frame &frame = demonstration.frame;
  const Range wave{frame.wavelength[0], frame.wavelength[frame.nwave - 1]};
  const Curves data = curves(demonstration, whole_fiber, wave);
  std::vector<double> sorted = data.expected;
  std::nth_element(sorted.begin(), sorted.begin() + frame.nwave / 2, sorted.end());
  const double median = sorted[static_cast<size_t>(frame.nwave / 2)];
  SvgAxes axes(figure, box, wave, {0, 3 * median});
  axes.frame("wavelength (Å)", "electron / Å");
  axes.curve(data.wave, data.flux, extracted_color, 0.7);
  axes.curve(data.wave, data.expected, truth_color, 1);
  name_fiber(figure, box, whole_fiber);
}

void draw_legend(SvgFigure &figure, double x, double y) {
  figure.rectangle({x, y - 10, 30, 12}, extracted_color, 0.28);
  figure.line(x, y - 4, x + 30, y - 4, extracted_color, 1.5);
  figure.text(x + 38, y, "extracted flux ± 1σ", {13, quiet_color});
  figure.line(x + 190, y - 4, x + 220, y - 4, truth_color, 3.2);
  figure.text(x + 228, y, "truth, at the resolution R", {13, quiet_color});
}

void draw_pulls(SvgFigure &figure, const TruthComparison &comparison, const Box &box) {
  constexpr double reach = 5;
  constexpr size_t nbar = 50;
  std::vector<double> edges(nbar + 1), density(nbar);
  for (size_t i = 0; i <= nbar; ++i)
    edges[i] = -reach + 2 * reach / nbar * static_cast<double>(i);
  const double weight = nbar / (2 * reach * static_cast<double>(comparison.pulls.size()));
  for (const double pull : comparison.pulls)
    if (std::abs(pull) < reach)
      density[static_cast<size_t>((pull + reach) / (2 * reach) * nbar)] += weight;

  SvgAxes axes(figure, box, {-reach, reach}, {0, 0.44});
  axes.frame("(flux − R · truth) / σ", "density");
  axes.bars(edges, density, extracted_color, 0.55);
  std::vector<double> x, y;
  for (int k = 0; k <= 200; ++k) {
    x.push_back(-reach + 2 * reach * k / 200);
    y.push_back(std::exp(-x.back() * x.back() / 2) / std::sqrt(2 * M_PI));
  }
  axes.curve(x, y, truth_color, 2.6);

  const auto note = [&](int line, const char *name, double value, const char *format) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), format, std::abs(value));
    figure.text(box.x + 12, box.y + 22 + 19 * line, name, {13, quiet_color});
    figure.text(box.x + 92, box.y + 22 + 19 * line,
                (value < 0 ? "−" : "") + std::string(text.data()),
                {13, "#222b36", Anchor::start, true});
  };
  note(0, "bins", static_cast<double>(comparison.pulls.size()), "%.0f");
  note(1, "mean", comparison.mean, "%.4f");
  note(2, "variance", comparison.variance, "%.4f");
  note(3, "χ² / pixel", comparison.chi2_per_pixel, "%.4f");
  figure.line(box.x + box.width - 124, box.y + 18, box.x + box.width - 100, box.y + 18,
              truth_color, 2.6);
  figure.text(box.x + box.width - 94, box.y + 22, "unit Gaussian", {13, quiet_color});
}

}  // namespace

std::string draw_demo(const Context &context, const Demonstration &demonstration) {
  SvgFigure figure(page_width, page_height,
                   "A simulated exposure, the spectra extracted from it, and how they "
                   "compare with the truth");
  figure.text(left, 52, "From a CCD to spectra, and back to the truth",
              {26, "#222b36", Anchor::start, true});
  figure.text(left, 78, demonstration.summary, {14, quiet_color});

  panel_title(
      figure, 124, 'a', "A piece of the CCD",
      "11 of 50 fibres side by side, 150 Å of their spectra; sky lines cross them, "
      "and so do cosmic rays");
  draw_image(figure, context, demonstration.image, {left, 162, right - left, 290});

  panel_title(figure, 538, 'b', "The same 150 Å, extracted",
              "sky, continuum and emission lines of two galaxies; bins of 0.8 Å");
  draw_legend(figure, right - 400, 558);
  draw_close(figure, demonstration, close_fibers[0], {left, 576, right - left, 150}, "",
             {{6498.7, "sky"},
              {6508, "galaxy"},
              {6533, "sky"},
              {6553.6, "sky"},
              {6570.5, "galaxy"}});
  draw_close(figure, demonstration, close_fibers[1], {left, 746, right - left, 150},
             "wavelength (Å)",
             {{6498.7, "sky"}, {6523, "galaxy"}, {6533, "sky"}, {6553.6, "sky"}});

  const double split = 720;
  panel_title(figure, 990, 'c', "The whole range of one fibre",
              "a quasar behind the sky, whose tallest lines are cut here");
  draw_whole(figure, demonstration, {left, 1030, split - left, 230});
  panel_title(figure, 990, 'd', "Are the errors right?", "all good bins of all fibres",
              split + 90);
  draw_pulls(figure, demonstration.comparison,
             {split + 90, 1030, right - split - 90, 230});
  return figure.finish();
}

}  // namespace specex_cli
