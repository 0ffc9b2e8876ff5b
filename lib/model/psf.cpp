// SPDX-License-Identifier: BSD-3-Clause
#include "model/psf.hpp"

#include <algorithm>
#include <cmath>

#include "base/error.hpp"

namespace specex {
namespace {

// Generous bounds: they keep every product of sizes far from overflow.
constexpr int max_nspec = 1 << 20;
constexpr int max_half_size = 256;
constexpr int max_degree = 40;
constexpr int max_ncoef = 256;
constexpr int max_nparam = 1 << 14;
constexpr double default_psferr = 0.01;

void check_count(const char *name, int64_t value, int64_t low, int64_t high) {
  if (value < low || value > high)
    fail(SPECEX_ERROR_PSF, "psf.%s is %lld; it must be from %lld to %lld", name,
         static_cast<long long>(value), static_cast<long long>(low),
         static_cast<long long>(high));
}

LegendreTable copy_table(const char *name, const double *values, int nspec, int ncoef,
                         double wavemin, double wavemax) {
  if (values == nullptr) fail(SPECEX_ERROR_ARGUMENT, "the PSF's %s is NULL", name);
  if (!std::isfinite(wavemin) || !std::isfinite(wavemax) || !(wavemin < wavemax))
    fail(SPECEX_ERROR_PSF,
         "the PSF's %s is defined from %g to %g Angstrom, which is no range", name,
         wavemin, wavemax);
  const auto count = static_cast<size_t>(nspec) * static_cast<size_t>(ncoef);
  LegendreTable table{ncoef, wavemin, wavemax, {values, values + count}};
  const auto bad = std::find_if(table.coefficients.begin(), table.coefficients.end(),
                                [](double value) { return !std::isfinite(value); });
  if (bad != table.coefficients.end())
    fail(SPECEX_ERROR_PSF,
         "the PSF's %s has a coefficient that is not finite (fibre %td)", name,
         (bad - table.coefficients.begin()) / ncoef);
  return table;
}

}  // namespace

double Psf::wavemin() const {
  double low = std::max(xtrace.wavemin, ytrace.wavemin);
  for (const auto &[name, table] : parameters) low = std::max(low, table.wavemin);
  return low;
}

double Psf::wavemax() const {
  double high = std::min(xtrace.wavemax, ytrace.wavemax);
  for (const auto &[name, table] : parameters) high = std::min(high, table.wavemax);
  return high;
}

const LegendreTable *Psf::find(std::string_view name) const {
  for (const auto &[own, table] : parameters)
    if (own == name) return &table;
  return nullptr;
}

Psf copy_psf(const specex_psf &given) {
  if (given.kind != SPECEX_PSF_GAUSS_HERMITE)
    fail(SPECEX_ERROR_UNSUPPORTED,
         "psf.kind is %d; this version knows GAUSS-HERMITE (%d) only", given.kind,
         SPECEX_PSF_GAUSS_HERMITE);
  check_count("nspec", given.nspec, 1, max_nspec);
  check_count("hsizex", given.hsizex, 1, max_half_size);
  check_count("hsizey", given.hsizey, 1, max_half_size);
  check_count("ghdegx", given.ghdegx, 0, max_degree);
  check_count("ghdegy", given.ghdegy, 0, max_degree);
  check_count("xtrace_ncoef", given.xtrace_ncoef, 1, max_ncoef);
  check_count("ytrace_ncoef", given.ytrace_ncoef, 1, max_ncoef);
  check_count("ncoef", given.ncoef, 1, max_ncoef);
  check_count("nparam", given.nparam, 1, max_nparam);
  check_count("nx", given.nx, 0, far_pixel);
  check_count("ny", given.ny, 0, far_pixel);
  if (given.param_names == nullptr || given.params == nullptr)
    fail(SPECEX_ERROR_ARGUMENT, "psf.param_names or psf.params is NULL");

  Psf psf;
  psf.kind = given.kind;
  psf.nspec = given.nspec;
  psf.nx = given.nx;
  psf.ny = given.ny;
  psf.hsizex = given.hsizex;
  psf.hsizey = given.hsizey;
  psf.ghdegx = given.ghdegx;
  psf.ghdegy = given.ghdegy;
  psf.psferr =
      given.psferr > 0.0 && std::isfinite(given.psferr) ? given.psferr : default_psferr;
  psf.xtrace = copy_table("XTRACE", given.xtrace, given.nspec, given.xtrace_ncoef,
                          given.xtrace_wavemin, given.xtrace_wavemax);
  psf.ytrace = copy_table("YTRACE", given.ytrace, given.nspec, given.ytrace_ncoef,
                          given.ytrace_wavemin, given.ytrace_wavemax);
  const auto stride = static_cast<size_t>(given.nspec) * static_cast<size_t>(given.ncoef);
  for (int k = 0; k < given.nparam; ++k) {
    if (given.param_names[k] == nullptr)
      fail(SPECEX_ERROR_ARGUMENT, "psf.param_names[%d] is NULL", k);
    std::string name = given.param_names[k];
    auto table = copy_table(name.c_str(), given.params + static_cast<size_t>(k) * stride,
                            given.nspec, given.ncoef, given.wavemin, given.wavemax);
    psf.parameters.emplace_back(std::move(name), std::move(table));
  }
  for (const char *name : {"GHSIGX", "GHSIGY", "GH-0-0"})
    if (psf.find(name) == nullptr)
      fail(SPECEX_ERROR_PSF, "the PSF lacks the parameter %s", name);
  psf.failed_fit.resize(static_cast<size_t>(psf.nspec));
  if (const LegendreTable *status = psf.find("STATUS"))
    for (int fiber = 0; fiber < psf.nspec; ++fiber)
      psf.failed_fit[static_cast<size_t>(fiber)] =
          status->coefficients[static_cast<size_t>(fiber * status->ncoef)] != 0.0;
  return psf;
}

}  // namespace specex
