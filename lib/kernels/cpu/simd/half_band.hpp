// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace specex::simd {

// The half bands that kernels are compiled for. Those of spots are narrower than what
// marginal matrices may take, and those of pairs of fibres twice as wide.
inline constexpr int half_bands[] = {7, 8, 9, 10, 12, 15, 23, 47, 71};
inline constexpr int largest_spot_band = 15;
inline constexpr int largest_fiber_band = 47;
inline constexpr int largest_half_band = 71;

// The smallest of them that holds `needed`; 0 where there is none.
inline int half_band_for(int needed) {
  for (const int half_band : half_bands)
    if (half_band >= needed) return half_band;
  return 0;
}

}  // namespace specex::simd
