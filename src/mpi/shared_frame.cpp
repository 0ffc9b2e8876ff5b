// SPDX-License-Identifier: BSD-3-Clause
#include "mpi/shared_frame.hpp"

#include <algorithm>
#include <cstring>
#include <new>

namespace specex_cli {

// At the beginning of the memory; the arrays come behind it.
struct SharedFrame::Board {
  size_t job;
  specex_image image;  // pointers, here and below, are set by each process for itself
  specex_grid grid;
  specex_frame frame;
  int32_t share;              // fibres
  std::atomic<int32_t> next;  // share
  std::atomic<int32_t> done;  // processes
  std::atomic<bool> failed;   // and then, by the first that did:
  int32_t exit_code;
  char reason[1000];
};

namespace {

size_t pixel_size(const specex_image &image) {
  return image.type == SPECEX_FLOAT32 ? sizeof(float) : sizeof(double);
}

// Gives an image and a frame arrays in the memory, from `at` on; NULL if there is none.
// Returns where they end.
size_t place(std::byte *memory, size_t at, specex_image &image, specex_frame &frame) {
  const auto take = [&](size_t bytes) {
    constexpr size_t line = 64;
    std::byte *own = memory == nullptr ? nullptr : memory + at;
    at += (bytes + line - 1) / line * line;
    return own;
  };
  const auto take_doubles = [&](size_t count) {
    return reinterpret_cast<double *>(take(count * sizeof(double)));
  };
  const size_t pixels = static_cast<size_t>(image.nx * image.ny) * pixel_size(image);
  const auto bins = static_cast<size_t>(frame.nspec * frame.nwave);
  image.pixels = take(pixels);
  image.ivar = take(pixels);
  image.pixels_stride = image.ivar_stride = image.nx;
  frame.flux = take_doubles(bins);
  frame.ivar = take_doubles(bins);
  frame.chi2pix = take_doubles(bins);
  frame.pixmask_fraction = take_doubles(bins);
  frame.resolution = take_doubles(bins * static_cast<size_t>(frame.ndiag));
  frame.mask = reinterpret_cast<int32_t *>(take(bins * sizeof(int32_t)));
  frame.wavelength = nullptr;
  frame.model = nullptr;
  return at;
}

// One row behind the other.
void copy_pixels(const specex_image &image, const void *from, int64_t stride,
                 const void *to) {
  const auto *source = static_cast<const std::byte *>(from);
  auto *target = static_cast<std::byte *>(const_cast<void *>(to));
  const auto size = static_cast<int64_t>(pixel_size(image));
  for (int64_t y = 0; y < image.ny; ++y)
    std::memcpy(target + y * image.nx * size, source + y * stride * size,
                static_cast<size_t>(image.nx * size));
}

// The fibres of a frame as the core of one patch.
specex_patch whole_patch(const specex_grid &grid, const specex_frame &frame) {
  specex_patch patch{};
  patch.struct_size = sizeof patch;
  patch.wavemin = grid.wavemin;
  patch.wavestep = grid.wavestep;
  patch.first_fiber = patch.pad_first_fiber = frame.first_fiber;
  patch.nfiber = patch.pad_nfiber = frame.nspec;
  patch.nbin = patch.nkeep = patch.pad_nbin = static_cast<int32_t>(frame.nwave);
  patch.ndiag = frame.ndiag;
  return patch;
}

specex_result result_of(const specex_frame &frame) {
  specex_result result{};
  result.struct_size = sizeof result;
  result.flux = frame.flux;
  result.ivar = frame.ivar;
  result.resolution = frame.resolution;
  result.chi2pix = frame.chi2pix;
  result.pixmask_fraction = frame.pixmask_fraction;
  result.mask = frame.mask;
  return result;
}

void add(int64_t &shared, int64_t count) {
  std::atomic_ref<int64_t>(shared).fetch_add(count);
}

}  // namespace

size_t SharedFrame::bytes(const specex_image &image, const specex_frame &frame) {
  specex_image own_image = image;
  specex_frame own_frame = frame;
  return place(nullptr, sizeof(Board), own_image, own_frame);
}

SharedFrame::Board &SharedFrame::board() const {
  return *std::launder(reinterpret_cast<Board *>(memory_));
}

size_t SharedFrame::job() const { return board().job; }

int SharedFrame::done() const { return board().done; }

void SharedFrame::begin(size_t job, const specex_image &image, const specex_grid &grid,
                        const specex_frame &frame, int bundlesize, int processes) {
  constexpr int shares_each = 4;
  Board &own = *new (memory_) Board{};
  own.job = job;
  own.image = image;
  own.grid = grid;
  own.frame = frame;
  own.frame.npatch = own.frame.npatch_failed = own.frame.nbadpixel = 0;
  own.frame.npath_dense = own.frame.npath_banded = own.frame.npath_vector = 0;
  const int bundles = (frame.nspec + bundlesize - 1) / bundlesize;
  own.share = bundlesize * std::max(1, bundles / (shares_each * processes));
  place(memory_, sizeof(Board), own.image, own.frame);
  copy_pixels(image, image.pixels, image.pixels_stride, own.image.pixels);
  copy_pixels(image, image.ivar, image.ivar_stride, own.image.ivar);
}

void SharedFrame::take_part(const std::function<void()> &work) {
  try {
    work();
  } catch (...) {
    fail(failure_being_handled());
  }
  ++board().done;
}

void SharedFrame::fail(const Failure &failure) {
  Board &own = board();
  if (own.failed.exchange(true)) return;
  own.exit_code = failure.exit_code();
  std::strncpy(own.reason, failure.what(), sizeof own.reason - 1);
}

void SharedFrame::extract_shares(const Context &context) {
  Board &own = board();
  const int end = own.frame.first_fiber + own.frame.nspec;
  while (!own.failed) {
    const int first = (own.frame.first_fiber / own.share + own.next++) * own.share;
    if (first >= end) return;
    const int begin = std::max(first, own.frame.first_fiber);
    extract(context, begin, std::min(first + own.share, end) - begin);
  }
}

void SharedFrame::extract(const Context &context, int first_fiber, int nspec) {
  Board &own = board();
  specex_image image = own.image;
  specex_frame part = own.frame;
  place(memory_, sizeof(Board), image, part);
  const auto skipped = (first_fiber - part.first_fiber) * part.nwave;
  part.first_fiber = first_fiber;
  part.nspec = nspec;
  for (double **array : {&part.flux, &part.ivar, &part.chi2pix, &part.pixmask_fraction})
    *array += skipped;
  part.resolution += skipped * part.ndiag;
  part.mask += skipped;
  check(specex_extract_frame(context.get(), &image, &own.grid, first_fiber, nspec, &part),
        context.get());
  // Which bins fit badly is seen by comparison with the whole frame: see collect.
  std::for_each(part.mask, part.mask + nspec * part.nwave,
                [](int32_t &bits) { bits &= ~SPECEX_MASK_BAD2DFIT; });
  add(own.frame.npatch, part.npatch);
  add(own.frame.npatch_failed, part.npatch_failed);
  add(own.frame.npath_dense, part.npath_dense);
  add(own.frame.npath_banded, part.npath_banded);
  add(own.frame.npath_vector, part.npath_vector);
  std::atomic_ref<int64_t>(own.frame.nbadpixel).store(part.nbadpixel);  // of the image
}

void SharedFrame::collect(const Context &context, specex_frame &frame) const {
  const Board &own = board();
  if (own.failed) throw Failure(own.exit_code, own.reason);
  specex_image image = own.image;
  specex_frame shared = own.frame;
  place(memory_, sizeof(Board), image, shared);
  const specex_patch patch = whole_patch(own.grid, shared);
  const specex_result result = result_of(shared);
  check(specex_assemble(context.get(), &patch, &result, 1, &frame), context.get());
  frame.npatch = shared.npatch;
  frame.npatch_failed = shared.npatch_failed;
  frame.nbadpixel = shared.nbadpixel;
  frame.npath_dense = shared.npath_dense;
  frame.npath_banded = shared.npath_banded;
  frame.npath_vector = shared.npath_vector;
}

}  // namespace specex_cli
