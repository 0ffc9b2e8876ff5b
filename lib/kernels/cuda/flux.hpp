// SPDX-License-Identifier: BSD-3-Clause
//
// f = N^-1 b (Bolton & Schlegel 2010, eq. 4) by sweeps over the fibres: those of even
// number, then those of odd number, each solved for what its neighbours are by then.
// Errors fall by the square of the coupling with every sweep; the last correction is
// checked.
#pragma once

#include "kernels/cuda/band_factor.hpp"

namespace specex::gpu {

inline constexpr int flux_sweeps = 6;

// The problem that thread i of those for the fibres of one parity has; -1: none.
SPECEX_HOST_DEVICE inline int64_t of_parity(const Group &group, int parity, int64_t i) {
  const int half = (group.nfiber + 1) / 2;
  const int f = 2 * static_cast<int>(i % half) + parity;
  return f < group.nfiber ? i / half * group.nfiber + f : -1;
}

// work := b - X f of the neighbours. Threads: bins x windows x (nfiber + 1) / 2.
struct NeighboursLight {
  Group group;
  int parity;
  int64_t threads_of_bin;

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int64_t p = of_parity(group, parity, i % threads_of_bin);
    const int w = static_cast<int>(i / threads_of_bin);
    if (p < 0) return;
    const int f = group.fiber_of(p);
    double value = group.data[group.at(w, p)];
    for (int l = 0; l < group.nlag; ++l) {
      const int next = w + group.first_lag + l;
      if (f + 1 < group.nfiber && next >= 0 && next < group.nbin)
        value -= group.cross[group.cross_at(w, l, p)] * group.flux[group.at(next, p + 1)];
      const int before = w - group.first_lag - l;
      if (f > 0 && before >= 0 && before < group.nbin)
        value -= group.cross[group.cross_at(before, l, p - 1)] *
                 group.flux[group.at(before, p - 1)];
    }
    group.work[group.at(w, p)] = value;
  }
};

// flux := D^-1 work. Threads: windows x (nfiber + 1) / 2.
template <int Band>
struct SolveFibers {
  Group group;
  int parity;
  bool last;  // sweep: what it changes is checked

  SPECEX_HOST_DEVICE void operator()(int64_t i) const {
    const int64_t p = of_parity(group, parity, i);
    if (p < 0) return;
    solve_lower<Band>(group, group.factor, p, group.work);
    bool settled = true;
    solve_upper<Band>(group, group.factor, p, group.work, [&](int w, double value) {
      double &flux = group.flux[group.at(w, p)];
      const double change = value - flux;
      if (!(change * change * group.band[group.band_at(w, 0, p)] <=
            max_residual * max_residual))
        settled = false;
      flux = value;
    });
    if (last && !settled) group.mark(p, verdict_residual);
  }
};

}  // namespace specex::gpu
