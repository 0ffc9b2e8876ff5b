// SPDX-License-Identifier: BSD-3-Clause
//
// What a frame was asked to be: which inputs, which options. Its digest is kept in the
// frame (SPXASKED), so that a frame that is there can be told from the one wanted.
#pragma once

#include <optional>
#include <string>

#include "frame_output.hpp"

namespace specex_cli {

// Of the files that a frame is made from, as they are now; that of the PSF is known.
std::string identity_of_inputs(const ExtractionSettings &settings,
                               const std::string &psf_identity);

// 16 hexadecimal digits: of the library's version, the inputs, and every option that has
// a say in what the frame holds.
std::string request_digest(const std::string &identity,
                           const ExtractionSettings &settings, const FrameOutput &output);

// Whether the frame, and the model image if one is wanted, are there, undamaged, and what
// is asked for. If so, gives what shortcoming_of says of the frame.
std::optional<std::string> find_finished(const Context &context,
                                         const ExtractionSettings &settings,
                                         const FrameOutput &output);

}  // namespace specex_cli
