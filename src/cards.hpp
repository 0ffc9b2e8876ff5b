// SPDX-License-Identifier: BSD-3-Clause
//
// Header keys to write, with the storage of their names and values.
#pragma once

#include <specex/fits.h>

#include <cstdint>
#include <deque>
#include <string>
#include <vector>

namespace specex_cli {

class Cards {
 public:
  void add(const char *name, const std::string &value, const char *comment);
  void add(const char *name, const char *value, const char *comment) {
    add(name, std::string(value), comment);
  }
  void add(const char *name, int64_t value, const char *comment);
  void add(const char *name, int32_t value, const char *comment) {
    add(name, int64_t{value}, comment);
  }
  void add(const char *name, double value, const char *comment);
  void add(const char *name, bool value, const char *comment);

  // Valid until the next add.
  const specex_fits_card *data() const { return cards_.data(); }
  int64_t size() const { return static_cast<int64_t>(cards_.size()); }

 private:
  void add(const char *name, const std::string &value, const char *comment, int32_t type);

  std::deque<std::string> texts_;  // a deque does not move what it holds
  std::vector<specex_fits_card> cards_;
};

}  // namespace specex_cli
