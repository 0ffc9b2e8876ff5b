// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/cpu/normal_equations.hpp"

#include <utility>

namespace specex {
namespace {

size_t at(int64_t index) { return static_cast<size_t>(index); }

// For each fibre and bin, where the stamps of that and all later bins lie: tells when no
// later bin can overlap a stamp, whichever way the trace runs.
class Later {
 public:
  Later(const SpotTable &spots, const specex_patch &patch)
      : nbin_(patch.pad_nbin), boxes_(at(patch.pad_nfiber) * at(nbin_)) {
    for (int f = 0; f < patch.pad_nfiber; ++f) {
      Box all = no_box;
      for (int w = nbin_ - 1; w >= 0; --w) {
        const Box box =
            spots.stamp(patch.pad_first_fiber + f, patch.pad_first_bin + w).box;
        all = around(all, box);
        boxes_[at(f * nbin_ + w)] = all;
      }
    }
  }

  bool none_overlaps(int fiber, int bin, const Box &box) const {
    return intersect(boxes_[at(fiber * nbin_ + bin)], box).empty();
  }

 private:
  int nbin_;
  std::vector<Box> boxes_;
};

// Calls visit(fiber, bin) for the spots that overlap spot (f, w) and do not come before
// it in the order of wavelengths.
template <class Visit>
void for_each_overlapping(const SpotTable &spots, const specex_patch &patch,
                          const Later &later, int f, int w, Visit &&visit) {
  const Box box = spots.stamp(patch.pad_first_fiber + f, patch.pad_first_bin + w).box;
  for (int g = 0; g < patch.pad_nfiber; ++g)
    for (int v = g < f ? w + 1 : w; v < patch.pad_nbin; ++v) {
      if (later.none_overlaps(g, v, box)) break;
      const Box other =
          spots.stamp(patch.pad_first_fiber + g, patch.pad_first_bin + v).box;
      if (!intersect(box, other).empty()) visit(g, v);
    }
}

// Weights times spot over the part of the stamp inside the patch's pixels.
Stamp weighted(const Stamp &stamp, const PatchPixels &pixels,
               std::vector<double> &buffer) {
  const Box inside = intersect(stamp.box, pixels.box());
  if (inside.empty()) return {{0, 0, 0, 0}, nullptr};
  buffer.resize(at(inside.width()) * at(inside.height()));
  double *out = buffer.data();
  for (int y = inside.ymin; y < inside.ymax; ++y)
    for (int x = inside.xmin; x < inside.xmax; ++x)
      *out++ = stamp.row(y)[x] * pixels.weights(y)[x];
  return {inside, buffer.data()};
}

}  // namespace

Symmetric NormalEquations::dense_by_fiber(const PatchShape &shape) const {
  Symmetric dense(shape.size());
  for_each_element(shape, [&](int f, int w, int g, int v, double value) {
    const int i = f * shape.nbin + w;
    const int j = g * shape.nbin + v;
    dense(i, j) = dense(j, i) = value;
  });
  return dense;
}

OwnPixels::OwnPixels(const Run &run, const specex_patch &patch, SpotTable table)
    : spots(std::move(table)),
      pixels(run.image, intersect(patch_box(patch, run.image), spots.bounds())) {}

OwnEquations::OwnEquations(const Run &run, const specex_patch &patch, SpotTable table)
    : OwnPixels(run, patch, std::move(table)) {
  const PatchShape shape(patch);
  const auto index = [&](int f, int w) { return at(f * shape.nbin + w); };
  const auto stamp = [&](int f, int w) {
    return spots.stamp(patch.pad_first_fiber + f, patch.pad_first_bin + w);
  };
  const auto for_each_bin = [&](auto &&visit) {
    for (int f = 0; f < shape.nfiber; ++f)
      for (int w = 0; w < shape.nbin; ++w) visit(f, w);
  };
  BinSums &sums = normal.sums;
  sums = BinSums(at(shape.size()));
  for_each_bin([&](int f, int w) { add_sums(stamp(f, w), pixels, index(f, w), sums); });
  // Bins that take no part have no elements beside the diagonal's, and no data.
  measured = condition(run.rules, sums);
  for (size_t q = 0; q < measured.size(); ++q)
    if (!measured[q]) sums.data[q] = 0.0;

  const Later later(spots, patch);
  const auto for_each_pair = [&](int f, int w, auto &&visit) {
    if (!measured[index(f, w)]) return;
    for_each_overlapping(spots, patch, later, f, w, [&](int g, int v) {
      if (measured[index(g, v)] && (f != g || w != v)) visit(g, v);
    });
  };
  size_t count = 0;
  for_each_bin([&](int f, int w) { for_each_pair(f, w, [&](int, int) { ++count; }); });
  normal.elements.reserve(count);
  std::vector<double> buffer;
  for_each_bin([&](int f, int w) {
    const Stamp own = weighted(stamp(f, w), pixels, buffer);
    for_each_pair(f, w, [&](int g, int v) {
      const double value = overlap(own, stamp(g, v));
      normal.elements.push_back(f <= g ? NormalEquations::Element{f, w, g, v, value}
                                       : NormalEquations::Element{g, v, f, w, value});
    });
  });
}

}  // namespace specex
