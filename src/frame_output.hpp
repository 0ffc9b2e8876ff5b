// SPDX-License-Identifier: BSD-3-Clause
//
// The files an extraction leaves: the frame, with header keys that tell how it was made
// (docs/frame-keys.md), and the model image.
#pragma once

#include <string>

#include "cards.hpp"
#include "extraction.hpp"

namespace specex_cli {

struct FrameOutput {
  std::string path;
  std::string model_path;  // "": no model image
  bool float64 = false;
  bool scores = true;
};

// Checks, before anything is read, that files of these names can be written.
void check_output_names(const FrameOutput &output);

// Checks, before the work, that there is room for the outputs and they are not inputs.
void check_frame_output(const Extraction &extraction, const FrameOutput &output);

// Writes the frame and the model: both appear, complete, or neither.
void write_frame_output(const Context &context, const Extraction &extraction,
                        const FrameOutput &output);

// The header keys that tell what was extracted, from what, by what and how.
Cards provenance(const Extraction &extraction, const FrameOutput &output);

}  // namespace specex_cli
