// SPDX-License-Identifier: BSD-3-Clause
#include "io/read_psf.hpp"

#include <algorithm>
#include <array>

#include "base/error.hpp"

namespace specex::io {
namespace {

int32_t required_count(const FitsFile &file, const Hdu &hdu, const char *name,
                       int64_t least) {
  constexpr int64_t most = 1 << 16;
  const auto value = hdu.header.integer(name);
  if (!value)
    file.fail(SPECEX_ERROR_FORMAT, "%s lacks the integer keyword %s", hdu.label().c_str(),
              name);
  if (*value < least || *value > most)
    file.fail(SPECEX_ERROR_FORMAT, "%s has the illegal %s = %lld", hdu.label().c_str(),
              name, static_cast<long long>(*value));
  return static_cast<int32_t>(*value);
}

struct Range {
  double min;
  double max;
};

Range wavelength_range(const FitsFile &file, const Hdu &hdu) {
  Range range{};
  for (auto [name, value] :
       {std::pair{"WAVEMIN", &range.min}, std::pair{"WAVEMAX", &range.max}}) {
    const auto found = hdu.header.real(name);
    if (!found)
      file.fail(SPECEX_ERROR_FORMAT, "%s lacks the keyword %s, or it is not a number",
                hdu.label().c_str(), name);
    *value = *found;
  }
  if (!(range.min < range.max))
    file.fail(SPECEX_ERROR_FORMAT, "%s has WAVEMIN = %g, which is not below WAVEMAX = %g",
              hdu.label().c_str(), range.min, range.max);
  return range;
}

// One row of coefficients a fibre.
std::vector<double> read_trace(FitsFile &file, const Hdu &hdu) {
  if (hdu.shape.size() != 2)
    file.fail(SPECEX_ERROR_FORMAT, "%s is not an image of fibres x coefficients",
              hdu.label().c_str());
  std::vector<double> trace(static_cast<size_t>(hdu.shape[0] * hdu.shape[1]));
  file.read_pixels(hdu, trace.data());
  return trace;
}

void check_coefficient_column(FitsFile &file, const Hdu &table, int64_t nspec,
                              int64_t ncoef) {
  const FitsFile::Column column = file.find_column(table, "COEFF");
  if (column.number == 0)
    file.fail(SPECEX_ERROR_FORMAT, "%s has no column COEFF", table.label().c_str());
  const bool has_shape = column.shape.size() > 1;
  if (column.repeat != nspec * ncoef ||
      (has_shape && column.shape != std::vector<int64_t>{nspec, ncoef}))
    file.fail(
        SPECEX_ERROR_FORMAT,
        "column COEFF of %s holds %lld numbers a row, not %lld fibres x (LEGDEG + 1 "
        "= %lld)",
        table.label().c_str(), static_cast<long long>(column.repeat),
        static_cast<long long>(nspec), static_cast<long long>(ncoef));
}

// specex writes PSFERROR, its readers look for PSFERR. 0: neither is there.
double psf_error(const FitsFile &file, const Hdu &table) {
  for (const char *name : {"PSFERR", "PSFERROR"})
    for (const Header *header : {&table.header, &file.hdus().front().header})
      if (const auto value = header->real(name)) return *value;
  return 0;
}

PsfFile read_gauss_hermite_3(FitsFile &file) {
  const Hdu &xtrace = file.require_image("XTRACE");
  const Hdu &ytrace = file.require_image("YTRACE");
  const Hdu &table = file.require_table("PSF");

  PsfFile result;
  result.xtrace = read_trace(file, xtrace);
  result.ytrace = read_trace(file, ytrace);
  const int64_t nspec = xtrace.shape[0];
  if (ytrace.shape[0] != nspec)
    file.fail(SPECEX_ERROR_FORMAT, "XTRACE has %lld fibres, but YTRACE has %lld",
              static_cast<long long>(nspec), static_cast<long long>(ytrace.shape[0]));

  specex_psf &psf = result.psf;
  psf.struct_size = sizeof psf;
  psf.kind = SPECEX_PSF_GAUSS_HERMITE;
  psf.nspec = static_cast<int32_t>(nspec);
  psf.xtrace_ncoef = static_cast<int32_t>(xtrace.shape[1]);
  psf.ytrace_ncoef = static_cast<int32_t>(ytrace.shape[1]);
  const Range x = wavelength_range(file, xtrace);
  psf.xtrace_wavemin = x.min;
  psf.xtrace_wavemax = x.max;
  const Range y = wavelength_range(file, ytrace);
  psf.ytrace_wavemin = y.min;
  psf.ytrace_wavemax = y.max;
  const Range wave = wavelength_range(file, table);
  psf.wavemin = wave.min;
  psf.wavemax = wave.max;
  psf.hsizex = required_count(file, table, "HSIZEX", 1);
  psf.hsizey = required_count(file, table, "HSIZEY", 1);
  psf.ghdegx = required_count(file, table, "GHDEGX", 0);
  psf.ghdegy = required_count(file, table, "GHDEGY", 0);
  psf.ncoef = required_count(file, table, "LEGDEG", 0) + 1;
  psf.nx = std::max<int64_t>(table.header.integer("NPIX_X").value_or(0), 0);
  psf.ny = std::max<int64_t>(table.header.integer("NPIX_Y").value_or(0), 0);
  psf.psferr = psf_error(file, table);

  check_coefficient_column(file, table, nspec, psf.ncoef);
  result.names = file.read_texts(table, "PARAM");
  result.params = file.read_reals(table, "COEFF");
  for (const std::string &name : result.names)
    result.name_pointers.push_back(name.c_str());
  psf.nparam = static_cast<int32_t>(result.names.size());
  psf.xtrace = result.xtrace.data();
  psf.ytrace = result.ytrace.data();
  psf.param_names = result.name_pointers.data();
  psf.params = result.params.data();
  result.pass = read_pass_through(file, table);
  return result;
}

struct Kind {
  std::string_view type;
  double version;
  PsfFile (*read)(FitsFile &file);
};

constexpr std::array<Kind, 1> kinds = {Kind{"GAUSS-HERMITE", 3, read_gauss_hermite_3}};

// From the PSF table or, as older kinds have it, from the first header.
const Header &kind_header(const FitsFile &file) {
  const Hdu *table = file.find("PSF");
  const bool in_table = table != nullptr && table->header.count("PSFTYPE") > 0;
  return in_table ? table->header : file.hdus().front().header;
}

}  // namespace

PsfFile read_psf(const char *name) {
  FitsFile file(name);
  const Header &header = kind_header(file);
  const auto type = header.text("PSFTYPE");
  if (!type)
    file.fail(
        SPECEX_ERROR_FORMAT,
        "it is not a PSF file: neither its first header nor an HDU named PSF has the "
        "keyword PSFTYPE");
  const auto version = header.real("PSFVER");
  for (const Kind &kind : kinds)
    if (*type == kind.type && version == kind.version) return kind.read(file);
  file.fail(SPECEX_ERROR_UNSUPPORTED,
            "its PSF is %.80s version %.20s; only GAUSS-HERMITE version 3 is read",
            type->c_str(), header.text("PSFVER").value_or("(none)").c_str());
}

}  // namespace specex::io
