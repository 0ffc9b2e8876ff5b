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

Symmetric BandedNormal::dense_by_fiber(const PatchShape &shape) const {
  Symmetric dense(n);
  for_each_element(shape, [&](int f, int w, int g, int v, double value) {
    const int i = f * shape.nbin + w;
    const int j = g * shape.nbin + v;
    dense(i, j) = dense(j, i) = value;
  });
  return dense;
}

BandedNormal make_normal_equations(const SpotTable &spots, const specex_patch &patch,
                                   const PatchPixels &pixels) {
  const PatchShape shape(patch);
  BandedNormal normal;
  normal.n = shape.size();
  normal.sums = BinSums(at(normal.n));
  const Later later(spots, patch);
  for (int f = 0; f < shape.nfiber; ++f)
    for (int w = 0; w < shape.nbin; ++w)
      for_each_overlapping(spots, patch, later, f, w, [&](int g, int v) {
        normal.half =
            std::max(normal.half, banded_index(shape, g, v) - banded_index(shape, f, w));
      });
  normal.lower.resize(at(normal.n) * at(normal.half + 1));

  std::vector<double> buffer;
  for (int f = 0; f < shape.nfiber; ++f)
    for (int w = 0; w < shape.nbin; ++w) {
      const Stamp stamp = spots.stamp(patch.pad_first_fiber + f, patch.pad_first_bin + w);
      add_sums(stamp, pixels, at(f * shape.nbin + w), normal.sums);
      const Stamp weighted_stamp = weighted(stamp, pixels, buffer);
      if (weighted_stamp.box.empty()) continue;
      const int p = banded_index(shape, f, w);
      for_each_overlapping(spots, patch, later, f, w, [&](int g, int v) {
        const int m = banded_index(shape, g, v) - p;
        normal.lower[at(p) * at(normal.half + 1) + at(m)] =
            overlap(weighted_stamp,
                    spots.stamp(patch.pad_first_fiber + g, patch.pad_first_bin + v));
      });
    }
  return normal;
}

void apply_conditioning(const PatchShape &shape, const std::vector<bool> &measured,
                        BandedNormal &normal) {
  const auto element = [&](int p, int m) -> double & {
    return normal.lower[at(p) * at(normal.half + 1) + at(m)];
  };
  for (int f = 0; f < shape.nfiber; ++f)
    for (int w = 0; w < shape.nbin; ++w) {
      const int q = f * shape.nbin + w;
      const int p = banded_index(shape, f, w);
      if (!measured[at(q)]) {
        normal.sums.data[at(q)] = 0.0;
        for (int m = 1; m <= normal.half; ++m) {
          element(p, m) = 0.0;
          if (p >= m) element(p - m, m) = 0.0;
        }
      }
      element(p, 0) = normal.sums.diagonal[at(q)];
    }
}

OwnPixels::OwnPixels(const Run &run, const specex_patch &patch, SpotTable table)
    : spots(std::move(table)),
      pixels(run.image, intersect(patch_box(patch, run.image), spots.bounds())) {}

OwnEquations::OwnEquations(const Run &run, const specex_patch &patch, SpotTable table)
    : OwnPixels(run, patch, std::move(table)),
      normal(make_normal_equations(spots, patch, pixels)),
      measured(condition(run.rules, normal.sums)) {
  apply_conditioning(PatchShape(patch), measured, normal);
}

}  // namespace specex
