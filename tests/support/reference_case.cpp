// SPDX-License-Identifier: BSD-3-Clause
#include "support/reference_case.hpp"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

namespace specex_test {
namespace {

std::filesystem::path directory() {
  const char *path = std::getenv("SPECEX_REFERENCE_DIR");
  return path != nullptr ? path : "";
}

void require(specex_status status, const std::string &what, specex_context *context) {
  if (status == SPECEX_OK) return;
  std::fprintf(stderr, "%s: %s: %s\n", what.c_str(), specex_status_name(status),
               specex_last_error(context));
  std::abort();
}

}  // namespace

std::vector<std::string> reference_cases() {
  std::vector<std::string> names;
  std::error_code absent;
  const std::string ending = "-reference.fits";
  for (const auto &entry : std::filesystem::directory_iterator(directory(), absent)) {
    const std::string file = entry.path().filename();
    if (file.ends_with(ending)) names.push_back(file.substr(0, file.find(ending)));
  }
  std::sort(names.begin(), names.end());
  return names;
}

ReferenceCase::ReferenceCase(const std::string &name) {
  specex_context *context = nullptr;
  require(specex_create(nullptr, &context), "specex_create", nullptr);
  const auto read = [&](const char *kind, auto &&function, File &file) {
    const std::string path = directory() / (name + "-" + kind + ".fits");
    specex_fits_file *opened = nullptr;
    require(function(path.c_str(), &opened), path, context);
    file.reset(opened);
  };
  read(
      "psf",
      [&](const char *path, specex_fits_file **file) {
        return specex_fits_read_psf(context, path, file);
      },
      psf_file_);
  read(
      "preproc",
      [&](const char *path, specex_fits_file **file) {
        return specex_fits_read_image(context, path, 0xffffffff, file);
      },
      image_file_);
  read(
      "reference",
      [&](const char *path, specex_fits_file **file) {
        return specex_fits_read_frame(context, path, file);
      },
      expected_file_);
  psf_.struct_size = sizeof psf_;
  image_.struct_size = sizeof image_;
  expected_.struct_size = sizeof expected_;
  grid_.struct_size = sizeof grid_;
  require(specex_fits_get_psf(psf_file_.get(), &psf_), "psf", nullptr);
  require(specex_fits_get_image(image_file_.get(), &image_), "image", nullptr);
  require(specex_fits_get_frame(expected_file_.get(), &expected_), "frame", nullptr);

  const auto key = [&](const char *keyword) {
    char text[80];
    require(specex_fits_get_key(expected_file_.get(), keyword, text, sizeof text),
            keyword, nullptr);
    return std::string(text);
  };
  double low = 0.0;
  double high = 0.0;
  double step = 0.0;
  if (std::sscanf(key("OPT_W").c_str(), "%lf,%lf,%lf", &low, &high, &step) != 3)
    require(SPECEX_ERROR_FORMAT, "OPT_W", nullptr);
  require(specex_grid_from_range(low, high, step, &grid_), "OPT_W", nullptr);
  require(specex_options_init(&options_, sizeof options_), "options", nullptr);
  options_.compat = SPECEX_COMPAT_GPU_SPECTER;
  options_.bundlesize = std::atoi(key("OPT_BUN").c_str());
  options_.nsubbundles = std::atoi(key("OPT_SUB").c_str());
  options_.nwavestep = std::atoi(key("OPT_NWS").c_str());
  specex_destroy(context);
}

}  // namespace specex_test
