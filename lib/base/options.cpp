// SPDX-License-Identifier: BSD-3-Clause
#include "base/options.hpp"

#include <limits>

#include "base/error.hpp"

namespace specex {
namespace {

void check_count(const char *name, int64_t value, int64_t low, int64_t high) {
  if (value < low || value > high)
    fail(SPECEX_ERROR_ARGUMENT, "options.%s is %lld; it must be from %lld to %lld", name,
         static_cast<long long>(value), static_cast<long long>(low),
         static_cast<long long>(high));
}

void check(const char *name, double value, double low, double high) {
  if (!(value >= low && value <= high))  // also catches NaN
    fail(SPECEX_ERROR_ARGUMENT, "options.%s is %g; it must be from %g to %g", name, value,
         low, high);
}

}  // namespace

specex_options default_options() {
  specex_options options{};
  options.struct_size = sizeof options;
  options.backend = SPECEX_BACKEND_AUTO;
  options.num_threads = 0;
  options.compat = SPECEX_COMPAT_NONE;
  options.decorrelate = SPECEX_DECORRELATE_SIGNAL;
  options.bundlesize = 25;
  options.nsubbundles = 0;
  options.nwavestep = 0;
  options.wavepad = 10;
  options.wavepad_frac = 0.2;
  options.pixpad_frac = 0.8;
  options.regularize = 0.0;
  options.psferr = -1.0;
  options.strict = 0;
  options.device = 0;
  options.num_devices = 1;
  options.device_memory = 0;
  options.spot_memory = 0;
  return options;
}

void check_options(const specex_options &options) {
  check_count("backend", options.backend, SPECEX_BACKEND_AUTO, SPECEX_BACKEND_REFERENCE);
  check_count("num_threads", options.num_threads, 0, 4096);
  check_count("compat", options.compat, SPECEX_COMPAT_NONE, SPECEX_COMPAT_GPU_SPECTER);
  check_count("decorrelate", options.decorrelate, SPECEX_DECORRELATE_SIGNAL,
              SPECEX_DECORRELATE_NOISE);
  check_count("bundlesize", options.bundlesize, 1, 100000);
  check_count("nsubbundles", options.nsubbundles, 0, 100000);
  check_count("nwavestep", options.nwavestep, 0, 100000);
  check_count("wavepad", options.wavepad, 0, 10000);
  check("wavepad_frac", options.wavepad_frac, 0.0, 10.0);
  check("pixpad_frac", options.pixpad_frac, 0.0, 1.0);
  check("regularize", options.regularize, 0.0, 1e150);
  check_count("device", options.device, 0, 1023);
  check_count("num_devices", options.num_devices, 1, 64);
  check_count("device_memory", options.device_memory, 0,
              std::numeric_limits<int64_t>::max());
  check_count("spot_memory", options.spot_memory, 0, std::numeric_limits<int64_t>::max());
  if (!(options.psferr < 0.0)) check("psferr", options.psferr, 0.0, 1e6);
}

}  // namespace specex
