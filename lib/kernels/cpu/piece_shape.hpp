// SPDX-License-Identifier: BSD-3-Clause
#pragma once

namespace specex {

// Fibres and bins of a piece.
struct PieceShape {
  int first_fiber;
  int nfiber;
  int first_bin;
  int nbin;
  double wavemin;  // of bin 0, Angstrom
  double wavestep;

  double wave(int bin) const { return wavemin + (first_bin + bin) * wavestep; }
  bool operator==(const PieceShape &) const = default;
};

}  // namespace specex
