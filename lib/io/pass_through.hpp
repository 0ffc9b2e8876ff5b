// SPDX-License-Identifier: BSD-3-Clause
//
// What an input file hands on to the output unchanged: its header keys and FIBERMAP.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "io/fits_file.hpp"

namespace specex::io {

struct PassThrough {
  Header keys;      // of `main` and, where it lacks them, of the first HDU
  Buffer fibermap;  // a file with the FIBERMAP only; empty: there is none
};

// `main` is the HDU whose header describes the file (IMAGE, FLUX).
PassThrough read_pass_through(const FitsFile &file, const Hdu &main);

// Fails with ARGUMENT unless these cards can be written.
void check_cards(const specex_fits_card *cards, int64_t ncard);

// Writes the keys passed through and then the caller's cards to the HDU begun last, but
// not those that describe the HDU's own structure. Keys that `cards` or `own` (written by
// somebody else) set are left out; `cards` come before `own`, so check with `has_card`.
void write_keys(FitsBuilder &builder, const Header *keys, const specex_fits_card *cards,
                int64_t ncard, const std::vector<std::string> &own);

bool has_card(const specex_fits_card *cards, int64_t ncard, const std::string &name);

}  // namespace specex::io
