// SPDX-License-Identifier: BSD-3-Clause
#include "base/error.hpp"
#include "kernels/backend.hpp"

namespace specex {

bool has_cuda_backend() { return false; }

std::unique_ptr<Backend> make_cuda_backend(const specex_options & /*options*/,
                                           int /*num_threads*/) {
  fail(SPECEX_ERROR_NO_DEVICE,
       "this build of libspecex has no CUDA backend; use the backend cpu");
}

}  // namespace specex
