// SPDX-License-Identifier: BSD-3-Clause
#include "svg_plot.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace specex_cli {

namespace {

// A hundredth of a unit is finer than a screen shows; fewer digits, smaller file. Not
// printf: the decimal point must not depend on the locale.
std::string number(double value, int decimals = 2) {
  std::array<char, 64> buffer{};
  const auto result = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                    std::chars_format::fixed, decimals);
  std::string text(buffer.data(), result.ptr);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  return text == "-0" ? "0" : text;
}

// A number for readers, with a minus sign instead of a hyphen.
std::string label(double value) {
  std::string text = number(value, 4);
  if (text[0] == '-') text.replace(0, 1, "−");
  return text;
}

std::string escaped(const std::string &text) {
  std::string result;
  for (const char c : text) {
    if (c == '&')
      result += "&amp;";
    else if (c == '<')
      result += "&lt;";
    else if (c == '>')
      result += "&gt;";
    else if (c == '"')
      result += "&quot;";
    else
      result += c;
  }
  return result;
}

std::string attribute(const char *name, const std::string &value) {
  return " " + std::string(name) + "=\"" + value + "\"";
}

std::string attribute(const char *name, double value) {
  return attribute(name, number(value));
}

// A tenth of a unit is enough for curves.
void append_point(std::string &path, char command, double x, double y) {
  path.append(1, command).append(number(x, 1)).append(1, ' ').append(number(y, 1));
}

constexpr const char *grid_color = "#e3e1da";
constexpr const char *axis_color = "#8a8f98";
constexpr const char *label_color = "#4a5361";

}  // namespace

SvgFigure::SvgFigure(double width, double height, const std::string &description)
    : width_(width), height_(height), description_(description) {}

std::string SvgFigure::finish() const {
  const std::string size = number(width_) + " " + number(height_);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + size + "\"" +
         attribute("width", width_) + attribute("height", height_) +
         " role=\"img\" font-family=\"'DejaVu Sans', Verdana, Helvetica, Arial, "
         "sans-serif\">\n<title>" +
         escaped(description_) + "</title>\n" +
         "<rect width=\"100%\" height=\"100%\" rx=\"14\" fill=\"#fcfbf8\"/>\n" + body_ +
         "</svg>\n";
}

void SvgFigure::text(double x, double y, const std::string &text,
                     const TextStyle &style) {
  static constexpr std::array<const char *, 3> anchors{"start", "middle", "end"};
  body_ += "<text" + attribute("x", x) + attribute("y", y) +
           attribute("font-size", style.size) + attribute("fill", style.color) +
           attribute("text-anchor", anchors[static_cast<size_t>(style.anchor)]);
  if (style.bold) body_ += attribute("font-weight", "bold");
  if (style.rotation != 0)
    body_ += attribute("transform", "rotate(" + number(style.rotation) + " " + number(x) +
                                        " " + number(y) + ")");
  body_ += ">" + escaped(text) + "</text>\n";
}

void SvgFigure::rectangle(const Box &box, const std::string &fill, double opacity,
                          const std::string &stroke, double radius) {
  body_ += "<rect" + attribute("x", box.x) + attribute("y", box.y) +
           attribute("width", box.width) + attribute("height", box.height) +
           attribute("fill", fill) + attribute("fill-opacity", opacity) +
           attribute("stroke", stroke) + attribute("rx", radius) + "/>\n";
}

void SvgFigure::line(double x1, double y1, double x2, double y2, const std::string &color,
                     double width, const std::string &dashes) {
  body_ += "<line" + attribute("x1", x1) + attribute("y1", y1) + attribute("x2", x2) +
           attribute("y2", y2) + attribute("stroke", color) +
           attribute("stroke-width", width);
  if (!dashes.empty()) body_ += attribute("stroke-dasharray", dashes);
  body_ += "/>\n";
}

// Neighbouring pixels of one level become one dash, and all dashes of a level one path,
// of relative moves: a few bytes a run, and no raster format to encode.
void SvgFigure::image(const Box &box, std::span<const uint8_t> levels, size_t nx,
                      int nlevel) {
  struct Path {
    int64_t x = 0, y = 0;  // where the pen is
    std::string moves;
  };
  const auto width = static_cast<int64_t>(nx);
  const auto height = static_cast<int64_t>(levels.size() / nx);
  std::vector<Path> paths(static_cast<size_t>(nlevel));
  for (int64_t row = 0; row < height; ++row)
    for (int64_t begin = 0, end = 0; begin < width; begin = end) {
      const auto level = [&](int64_t column) {
        return levels[static_cast<size_t>(row * width + column)];
      };
      for (end = begin + 1; end < width && level(end) == level(begin);) ++end;
      Path &path = paths[level(begin)];
      path.moves.append(1, 'm').append(std::to_string(begin - path.x));
      path.moves.append(1, ' ').append(std::to_string(row - path.y));
      path.moves.append(1, 'h').append(std::to_string(end - begin));
      path.x = end;
      path.y = row;
    }
  body_ += "<g" +
           attribute("transform",
                     "translate(" + number(box.x) + " " + number(box.y) + ") scale(" +
                         number(box.width / static_cast<double>(width), 5) + " " +
                         number(box.height / static_cast<double>(height), 5) +
                         ") translate(0 0.5)") +
           " shape-rendering=\"crispEdges\" stroke-width=\"1.04\">\n";
  for (size_t level = 0; level < paths.size(); ++level) {
    if (paths[level].moves.empty()) continue;
    const double fraction = static_cast<double>(level) / (nlevel - 1);
    body_ += "<path" + attribute("stroke", intensity_color(fraction)) +
             attribute("d", paths[level].moves) + "/>\n";
  }
  body_ += "</g>\n";
}

std::string intensity_color(double fraction) {
  // From near black over blue, violet and orange to a pale yellow; lightness rises
  // evenly.
  static constexpr std::array<std::array<double, 3>, 7> stops{{{10, 12, 30},
                                                               {38, 30, 92},
                                                               {98, 40, 128},
                                                               {168, 54, 118},
                                                               {228, 90, 82},
                                                               {250, 160, 80},
                                                               {255, 246, 190}}};
  const double position = std::clamp(fraction, 0.0, 1.0) * (stops.size() - 1);
  const size_t stop = std::min(static_cast<size_t>(position), stops.size() - 2);
  std::string color = "#";
  for (size_t channel = 0; channel < 3; ++channel) {
    const double value = std::lerp(stops[stop][channel], stops[stop + 1][channel],
                                   position - static_cast<double>(stop));
    const auto byte = static_cast<unsigned>(std::lround(value));
    color += "0123456789abcdef"[byte / 16];
    color += "0123456789abcdef"[byte % 16];
  }
  return color;
}

std::vector<double> ticks(Range range, int count) {
  const double rough = (range.high - range.low) / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double lead = rough / power;
  const double step = power * (lead < 1.5 ? 1 : lead < 3.5 ? 2 : lead < 7.5 ? 5 : 10);
  std::vector<double> values;
  const auto last = static_cast<int64_t>(std::floor(range.high / step + 1e-9));
  for (auto k = static_cast<int64_t>(std::ceil(range.low / step - 1e-9)); k <= last; ++k)
    values.push_back(static_cast<double>(k) * step);
  return values;
}

SvgAxes::SvgAxes(SvgFigure &figure, const Box &box, Range x, Range y)
    : figure_(figure), box_(box), x_range_(x), y_range_(y) {
  // Named by its place, which no two axes of a figure share.
  const std::string name = "clip-" + number(box.x, 0) + "-" + number(box.y, 0);
  figure_.raw("<clipPath" + attribute("id", name) + "><rect" + attribute("x", box.x) +
              attribute("y", box.y) + attribute("width", box.width) +
              attribute("height", box.height) + "/></clipPath>\n");
  clip_ = attribute("clip-path", "url(#" + name + ")");
}

double SvgAxes::x(double value) const {
  return box_.x + (value - x_range_.low) / (x_range_.high - x_range_.low) * box_.width;
}

double SvgAxes::y(double value) const {
  const double fraction = (value - y_range_.low) / (y_range_.high - y_range_.low);
  return box_.y + (1 - std::clamp(fraction, -0.5, 1.5)) * box_.height;
}

void SvgAxes::frame(const std::string &x_label, const std::string &y_label) {
  const double bottom = box_.y + box_.height;
  if (!y_label.empty()) {
    for (const double value : ticks(y_range_, static_cast<int>(box_.height / 45))) {
      figure_.line(box_.x, y(value), box_.x + box_.width, y(value), grid_color);
      figure_.text(box_.x - 8, y(value) + 4, label(value),
                   {12, label_color, Anchor::end});
    }
    figure_.text(box_.x - 52, box_.y + box_.height / 2, y_label,
                 {13, label_color, Anchor::middle, false, -90});
  }
  for (const double value : ticks(x_range_, static_cast<int>(box_.width / 90))) {
    if (!y_label.empty()) figure_.line(x(value), box_.y, x(value), bottom, grid_color);
    figure_.line(x(value), bottom, x(value), bottom + 5, axis_color);
    if (!x_label.empty())
      figure_.text(x(value), bottom + 19, label(value),
                   {12, label_color, Anchor::middle});
  }
  if (!x_label.empty())
    figure_.text(box_.x + box_.width / 2, bottom + 38, x_label,
                 {13, label_color, Anchor::middle});
  figure_.line(box_.x, bottom, box_.x + box_.width, bottom, axis_color);
}

void SvgAxes::curve(std::span<const double> xs, std::span<const double> ys,
                    const std::string &color, double width, double opacity) {
  std::string path;
  for (size_t i = 0; i < xs.size(); ++i)
    append_point(path, i == 0 ? 'M' : 'L', x(xs[i]), y(ys[i]));
  figure_.raw("<path" + clip_ + attribute("d", path) + attribute("fill", "none") +
              attribute("stroke", color) + attribute("stroke-width", width) +
              attribute("stroke-opacity", opacity) +
              attribute("stroke-linejoin", "round") + "/>\n");
}

void SvgAxes::band(std::span<const double> xs, std::span<const double> low,
                   std::span<const double> high, const std::string &color,
                   double opacity) {
  std::string path;
  for (size_t i = 0; i < xs.size(); ++i)
    append_point(path, i == 0 ? 'M' : 'L', x(xs[i]), y(high[i]));
  for (size_t i = xs.size(); i-- > 0;) append_point(path, 'L', x(xs[i]), y(low[i]));
  figure_.raw("<path" + clip_ + attribute("d", path + "Z") + attribute("fill", color) +
              attribute("fill-opacity", opacity) + "/>\n");
}

void SvgAxes::bars(std::span<const double> edges, std::span<const double> heights,
                   const std::string &color, double opacity) {
  for (size_t i = 0; i < heights.size(); ++i) {
    const double left = x(edges[i]), top = y(heights[i]);
    figure_.rectangle(
        {left + 0.5, top, x(edges[i + 1]) - left - 1, box_.y + box_.height - top}, color,
        opacity);
  }
}

}  // namespace specex_cli
