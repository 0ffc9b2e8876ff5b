// SPDX-License-Identifier: BSD-3-Clause
//
// What every kind of output file has besides its arrays.
#pragma once

#include <specex/fits.h>

#include "io/pass_through.hpp"

namespace specex::io {

struct Output {
  const PassThrough *input = nullptr;     // NULL: nothing is passed through
  const PassThrough *fibermap = nullptr;  // NULL: the FIBERMAP is that of input
  const specex_fits_card *cards = nullptr;
  int64_t ncard = 0;
  bool float64 = false;
  bool scores = false;
  int threads = 1;

  const Header *keys() const { return input != nullptr ? &input->keys : nullptr; }
  // A file with the FIBERMAP to write only; NULL: there is none.
  const Buffer *fibermap_file() const {
    const PassThrough *source = fibermap != nullptr ? fibermap : input;
    return source != nullptr && source->fibermap.size() > 0 ? &source->fibermap : nullptr;
  }
  Pixels real() const { return float64 ? Pixels::float64 : Pixels::float32; }
};

}  // namespace specex::io
