// SPDX-License-Identifier: BSD-3-Clause
#include "io/file_name.hpp"

#include <algorithm>
#include <system_error>

#include "base/error.hpp"

namespace specex::io {

std::string quoted(std::string_view name) {
  constexpr size_t longest = 200;  // characters of each end
  std::string text(name);
  if (text.size() > 2 * longest)
    text.replace(longest, text.size() - 2 * longest, "[...]");
  std::replace_if(
      text.begin(), text.end(), [](unsigned char c) { return c < 32 || c == 127; }, '?');
  return "'" + text + "'";
}

bool ends_with_gz(std::string_view name) { return name.ends_with(".gz"); }

void check_file_name(const char *name) {
  if (name == nullptr) fail(SPECEX_ERROR_ARGUMENT, "the file name is NULL");
  if (*name == '\0') fail(SPECEX_ERROR_ARGUMENT, "the file name is empty");
}

void fail_with_errno(const char *what, std::string_view name, int error_number) {
  fail(SPECEX_ERROR_IO, "cannot %s %s: %s", what, quoted(name).c_str(),
       std::generic_category().message(error_number).c_str());
}

}  // namespace specex::io
