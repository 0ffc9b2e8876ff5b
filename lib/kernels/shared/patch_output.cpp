// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/shared/patch_output.hpp"

namespace specex {

void add_to_target(const ModelTarget &target, const Box &box, const double *pixels) {
  const Box inside = intersect(target.box, box);
  for (int y = inside.ymin; y < inside.ymax; ++y) {
    const double *from = pixels + static_cast<ptrdiff_t>(y - box.ymin) * box.width() +
                         (inside.xmin - box.xmin);
    double *to = target.pixels + (y - target.box.ymin) * target.stride +
                 (inside.xmin - target.box.xmin);
    for (int x = 0; x < inside.width(); ++x) to[x] += from[x];
  }
}

PatchOutput::PatchOutput(const specex_patch &patch, const specex_result &result)
    : flux(result.flux),
      ivar(result.ivar),
      resolution(result.resolution),
      chi2pix(result.chi2pix),
      pixmask_fraction(result.pixmask_fraction),
      mask(result.mask),
      model{result.model,
            int64_t{patch.xmax} - patch.xmin,
            {patch.xmin, patch.xmax, patch.ymin, patch.ymax}},
      stride(patch.nbin),
      ndiag(patch.ndiag),
      end_fiber(patch.nfiber),
      end_bin(patch.nbin) {}

PatchOutput::PatchOutput(const specex_patch &patch, const specex_frame &frame)
    : flux(frame.flux),
      ivar(frame.ivar),
      resolution(frame.resolution),
      chi2pix(frame.chi2pix),
      pixmask_fraction(frame.pixmask_fraction),
      mask(frame.mask),
      model{frame.model,
            frame.model_nx,
            {0, static_cast<int>(frame.model_nx), 0, static_cast<int>(frame.model_ny)}},
      fiber(int64_t{patch.first_fiber} - frame.first_fiber),
      bin(patch.first_bin),
      stride(frame.nwave),
      ndiag(patch.ndiag) {
  first_fiber = static_cast<int>(std::max<int64_t>(0, -fiber));
  end_fiber = static_cast<int>(std::min<int64_t>(patch.nfiber, frame.nspec - fiber));
  end_bin = static_cast<int>(std::min<int64_t>(patch.nkeep, frame.nwave - bin));
}

PatchOutput::PatchOutput(const PatchOutput &whole, int i, int nfiber, int j, int nbin)
    : PatchOutput(whole) {
  fiber += i;
  bin += j;
  first_fiber = std::clamp(whole.first_fiber - i, 0, nfiber);
  end_fiber = std::clamp(whole.end_fiber - i, first_fiber, nfiber);
  first_bin = std::clamp(whole.first_bin - j, 0, nbin);
  end_bin = std::clamp(whole.end_bin - j, first_bin, nbin);
}

}  // namespace specex
