// SPDX-License-Identifier: BSD-3-Clause
#include "kernels/cuda/cuda_device.cuh"
#include "kernels/cuda/device_backend.hpp"

namespace specex {

bool has_cuda_backend() { return true; }

std::unique_ptr<Backend> make_cuda_backend(const specex_options &options,
                                           int num_threads) {
  return std::make_unique<gpu::DeviceBackend<gpu::CudaDevice>>(options, num_threads);
}

}  // namespace specex
