// SPDX-License-Identifier: BSD-3-Clause
#include "exposure/desi_folders.hpp"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <map>
#include <optional>

#include "input_file.hpp"
#include "log.hpp"
#include "session.hpp"

namespace specex_cli {
namespace {

namespace fs = std::filesystem;

struct PreprocName {
  std::string camera;  // "r0"
  std::string expid;   // "00051060"
};

bool is_digits(const std::string &text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
    return std::isdigit(c) != 0;
  });
}

// Takes preproc-r0-00051060.fits[.gz|.fz] apart.
std::optional<PreprocName> parse_name(const std::string &name) {
  constexpr size_t length = 19;  // of preproc-r0-00051060
  if (name.size() < length || !name.starts_with("preproc-") || name[10] != '-')
    return std::nullopt;
  const PreprocName result{name.substr(8, 2), name.substr(11, 8)};
  const std::string ending = name.substr(length);
  const bool valid = std::string("brz").find(result.camera[0]) != std::string::npos &&
                     is_digits(result.camera.substr(1)) && is_digits(result.expid) &&
                     (ending == ".fits" || ending == ".fits.gz" || ending == ".fits.fz");
  return valid ? std::optional(result) : std::nullopt;
}

bool is_wanted(const DesiFolders &folders, const PreprocName &name) {
  const auto &expids = folders.expids;
  const auto &cameras = folders.cameras;
  const bool exposure = expids.empty() || std::count(expids.begin(), expids.end(),
                                                     std::stoll(name.expid)) > 0;
  return exposure &&
         (cameras.empty() ||
          std::any_of(cameras.begin(), cameras.end(), [&](const std::string &wanted) {
            return name.camera == wanted || name.camera.substr(0, 1) == wanted;
          }));
}

// The only PSF of a camera in a folder; "" if there is none or there are several.
std::string only_psf(const fs::path &folder, const std::string &camera) {
  std::string found;
  std::error_code error;
  for (const auto &entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("psf-" + camera + "-") &&
        !name.starts_with("psf-" + camera + "."))
      continue;
    if (!found.empty()) return "";
    found = entry.path().string();
  }
  return found;
}

std::string psf_for(const DesiFolders &folders, const fs::path &exposure,
                    const PreprocName &name) {
  const std::string own = "psf-" + name.camera + "-" + name.expid + ".fits";
  const fs::path of_exposure = fs::path(folders.psf) / exposure / own;
  std::error_code error;
  for (const fs::path &path : {of_exposure, fs::path(folders.psf) / own})
    if (fs::exists(file_to_read(path.string()), error)) return path.string();
  const std::string only = only_psf(folders.psf, name.camera);
  return only.empty() ? of_exposure.string() : only;  // which the frame will fail without
}

}  // namespace

std::vector<ManifestRow> find_frames(const DesiFolders &folders) {
  std::map<std::string, ManifestRow> rows;  // by output, so that their order is known
  std::error_code error;
  const fs::path root = folders.preproc;
  for (fs::recursive_directory_iterator entry(root, error), end; entry != end;
       entry.increment(error)) {
    constexpr int deepest = 2;  // NIGHT/EXPID
    if (entry.depth() == deepest) entry.disable_recursion_pending();
    const auto name = parse_name(entry->path().filename().string());
    if (!name || !is_wanted(folders, *name)) continue;
    const fs::path exposure = entry->path().parent_path().lexically_relative(root);
    if (!folders.night.empty() && *exposure.begin() != folders.night) continue;
    const std::string output = (fs::path(folders.frames) / exposure /
                                ("frame-" + name->camera + "-" + name->expid +
                                 (folders.gzip ? ".fits.gz" : ".fits")))
                                   .lexically_normal()
                                   .string();
    const std::string input = entry->path().string();
    const auto [row, is_new] = rows.try_emplace(output);
    if (!is_new && !input.ends_with(".fits")) continue;  // what is not packed is read
    row->second = {"'" + input + "'",
                   {{"input", input},
                    {"psf", psf_for(folders, exposure, *name)},
                    {"output", output}}};
  }
  if (error)
    throw Failure(exit_configuration,
                  text("cannot read the folder '%s': %s", folders.preproc.c_str(),
                       error.message().c_str()));
  if (rows.empty())
    throw Failure(exit_configuration,
                  "no preproc file that was asked for is in '" + folders.preproc + "'");
  std::vector<ManifestRow> result;
  for (auto &[output, row] : rows) {
    fs::create_directories(fs::path(output).parent_path(), error);
    result.push_back(std::move(row));
  }
  return result;
}

}  // namespace specex_cli
