// SPDX-License-Identifier: BSD-3-Clause
#include "bench_measure.hpp"

#include <algorithm>
#include <chrono>

#include "extraction.hpp"
#include "log.hpp"
#include "progress.hpp"

namespace specex_cli {
namespace {

// So that the first extraction does not wait for the kernel to find memory.
void touch(specex_frame &frame) {
  const int64_t bins = frame.nspec * frame.nwave;
  for (double *array : {frame.flux, frame.ivar, frame.chi2pix, frame.pixmask_fraction})
    std::fill_n(array, bins, 0.0);
  std::fill_n(frame.resolution, bins * frame.ndiag, 0.0);
  std::fill_n(frame.mask, bins, 0);
  std::fill_n(frame.model, frame.model_nx * frame.model_ny, 0.0);
}

}  // namespace

Measurement measure(const BenchProblem &problem, const specex_options &options,
                    int repeats) {
  const Context context(options);
  check(specex_set_psf(context.get(), &problem.psf()), context.get());
  const specex_image &image = problem.image();
  Measurement measured;
  measured.runs_on = context.description();
  measured.threads = std::stoi(context.described("threads"));
  measured.psf = context.psf_info();
  measured.image_nx = image.nx;
  measured.image_ny = image.ny;
  measured.work = count_work(context, problem);

  OwnedFrame frame(problem.first_fiber(), problem.nspec(), problem.grid().nwave,
                   measured.psf.ndiag);
  frame.add_model(image.nx, image.ny);
  touch(frame.view());
  for (int k = 0; k < repeats; ++k) {
    throw_if_stopped();
    const auto start = std::chrono::steady_clock::now();
    const specex_status status =
        specex_extract_frame(context.get(), &image, &problem.grid(),
                             problem.first_fiber(), problem.nspec(), &frame.view());
    const double seconds = seconds_since(start);
    erase_progress();
    check(status, context.get());
    if (measured.seconds.empty() ||
        seconds < *std::min_element(measured.seconds.begin(), measured.seconds.end()))
      check(specex_stage_seconds(context.get(), measured.stages.data(), SPECEX_NSTAGE),
            context.get());
    measured.seconds.push_back(seconds);
  }
  std::sort(measured.seconds.begin(), measured.seconds.end());
  measured.frame = frame.view();
  return measured;
}

}  // namespace specex_cli
