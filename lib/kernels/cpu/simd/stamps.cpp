// SPDX-License-Identifier: BSD-3-Clause
//
// Stamps and canvases: the model image and sums of an image under a spot.
#include "kernels/cpu/simd/stages.hpp"
#include "kernels/shared/chi2.hpp"

namespace specex::SPECEX_ISA {

namespace {

// Stamps are walked through row by row, an order that the processor does not foresee.
constexpr int ahead = 4;  // bins

SPECEX_INLINE void prefetch(const FiberLight &light, int w) {
  if (w >= light.nbin) return;
  const float *stamp = light.stamps + static_cast<ptrdiff_t>(w) * light.layout.size;
  for (int k = 0; k < light.layout.size; k += 16) __builtin_prefetch(stamp + k);
}

// Row by row, so that a row's sum over the bins stays in registers: stamps are read, a
// canvas is touched once for all bins whose stamps begin in the same column. Images: of
// as many fluxes, on as many canvases of the same rows.
template <int Blocks, int Images>
void add_rows(const FiberLight &light, const double *const (&flux)[Images],
              const Canvas (&canvas)[Images]) {
  const StampLayout &layout = light.layout;
  const int row = Blocks > 0 ? Blocks * lanes : layout.row;
  int low = 0;
  int high = 0;
  int aside = 0;  // the last bin before `high` that lies aside of the one before it
  for (int y = canvas[0].ymin; y < canvas[0].ymax; ++y) {
    while (low < light.nbin && light.y0[low] + layout.ny <= y) ++low;
    for (; high < light.nbin && light.y0[high] <= y; ++high) {
      if (high > 0 && light.x0[high] != light.x0[high - 1]) aside = high;
      prefetch(light, high + 1 + ahead);
    }
    for (int first = low; first < high;) {
      const int x0 = light.x0[first];
      int end = first < aside ? first + 1 : high;
      while (end < high && light.x0[end] == x0) ++end;
      const auto add_blocks = [&]<int Count>(int c) {
        Vector total[Images][Count] = {};
        for (int w = first; w < end; ++w) {
          const float *from = light.stamps + static_cast<ptrdiff_t>(w) * layout.size +
                              (y - light.y0[w]) * row + c;
          for (int k = 0; k < Count; ++k) {
            const Vector spot = load_doubles(from + k * lanes);
            for (int i = 0; i < Images; ++i) total[i][k] += flux[i][w] * spot;
          }
        }
        for (int i = 0; i < Images; ++i) {
          double *out = canvas[i].pixels + (y - canvas[i].ymin) * canvas[i].stride +
                        (x0 - canvas[i].xmin) + c;
          for (int k = 0; k < Count; ++k)
            store(out + k * lanes, load(out + k * lanes) + total[i][k]);
        }
      };
      if constexpr (Blocks > 0)
        add_blocks.template operator()<Blocks>(0);
      else
        for (int c = 0; c < row; c += lanes) add_blocks.template operator()<1>(c);
      first = end;
    }
  }
}

template <int Images>
void add_images(const FiberLight &light, const double *const (&flux)[Images],
                const Canvas (&canvas)[Images]) {
  if (light.layout.row == 3 * lanes)
    add_rows<3>(light, flux, canvas);
  else
    add_rows<0>(light, flux, canvas);
}

template <int Blocks>
void dot_rows_of(const FiberLight &light, const Canvas &canvas, double *sums) {
  const StampLayout &layout = light.layout;
  const int row = Blocks > 0 ? Blocks * lanes : layout.row;
  for (int w = 0; w < light.nbin; ++w) {
    const int y0 = light.y0[w];
    const int low = y0 > canvas.ymin ? y0 : canvas.ymin;
    const int high = y0 + layout.ny < canvas.ymax ? y0 + layout.ny : canvas.ymax;
    const float *stamp = light.stamps + static_cast<ptrdiff_t>(w) * layout.size;
    Vector total[Blocks > 0 ? Blocks : 1] = {};
    for (int y = low; y < high; ++y) {
      const double *from =
          canvas.pixels + (y - canvas.ymin) * canvas.stride + (light.x0[w] - canvas.xmin);
      const float *spot = stamp + (y - y0) * row;
      for (int k = 0; k < row / lanes; ++k)
        total[Blocks > 0 ? k : 0] +=
            load(from + k * lanes) * load_doubles(spot + k * lanes);
    }
    Vector all = total[0];
    for (int k = 1; k < Blocks; ++k) all += total[k];
    sums[w] = sum(all);
  }
}

}  // namespace

void add_light(const FiberLight &light, const Canvas &canvas) {
  add_images<1>(light, {light.flux}, {canvas});
}

void add_two_lights(const FiberLight &light, const Canvas &canvas, const double *flux,
                    const Canvas &other) {
  add_images<2>(light, {light.flux, flux}, {canvas, other});
}

void dot_stamps(const FiberLight &light, const Canvas &canvas, double *sums) {
  if (light.layout.row == 3 * lanes)
    dot_rows_of<3>(light, canvas, sums);
  else
    dot_rows_of<0>(light, canvas, sums);
}

void chi2_row(ptrdiff_t count, const double *values, const double *weights, double scale,
              double psferr, double *canvas) {
  for (ptrdiff_t k = 0; k < count; k += lanes)
    store(canvas + k, pixel_chi2(load(values + k), load(weights + k) * (1.0 / scale),
                                 load(canvas + k), psferr));
}

}  // namespace specex::SPECEX_ISA
