// SPDX-License-Identifier: BSD-3-Clause
//
// A few kinds of plot as SVG text: enough for a picture of an extraction, with no library
// to install and no font or script to load.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace specex_cli {

struct Box {  // SVG units, y downwards
  double x, y, width, height;
};

struct Range {
  double low, high;
};

enum class Anchor { start, middle, end };

struct TextStyle {
  double size = 14;
  const char *color = "#222b36";
  Anchor anchor = Anchor::start;
  bool bold = false;
  double rotation = 0;  // degrees
};

// The page: it has its own light background, to be readable on dark pages too.
class SvgFigure {
 public:
  SvgFigure(double width, double height, const std::string &description);

  void text(double x, double y, const std::string &text, const TextStyle &style = {});
  void rectangle(const Box &box, const std::string &fill, double opacity = 1,
                 const std::string &stroke = "none", double radius = 0);
  void line(double x1, double y1, double x2, double y2, const std::string &color,
            double width = 1, const std::string &dashes = "");
  // An image of small whole levels in [0, nlevel), [ny][nx], first row at the top.
  void image(const Box &box, std::span<const uint8_t> levels, size_t nx, int nlevel);
  void raw(const std::string &svg) { body_ += svg; }

  std::string finish() const;  // the whole file

 private:
  double width_, height_;
  std::string description_;
  std::string body_;
};

// The color of a level of SvgFigure::image, "#rrggbb"; fraction is 0 (dark) to 1
// (bright).
std::string intensity_color(double fraction);

// Data coordinates in a box.
class SvgAxes {
 public:
  SvgAxes(SvgFigure &figure, const Box &box, Range x, Range y);

  // Grid, ticks and labels; call it before the data, or, without a y label, which leaves
  // out the grid and the y axis, after it. Without an x label its ticks have no numbers.
  void frame(const std::string &x_label, const std::string &y_label);
  void curve(std::span<const double> x, std::span<const double> y,
             const std::string &color, double width, double opacity = 1);
  void band(std::span<const double> x, std::span<const double> low,
            std::span<const double> high, const std::string &color, double opacity);
  // Bars of a histogram: bar i spans edges[i] to edges[i + 1].
  void bars(std::span<const double> edges, std::span<const double> heights,
            const std::string &color, double opacity);

  double x(double value) const;
  double y(double value) const;  // clipped to a little outside the box

 private:
  SvgFigure &figure_;
  Box box_;
  Range x_range_, y_range_;
  std::string clip_;  // reference to the box as clip path
};

// Round numbers inside a range, about `count` of them.
std::vector<double> ticks(Range range, int count);

}  // namespace specex_cli
