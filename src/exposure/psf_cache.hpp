// SPDX-License-Identifier: BSD-3-Clause
//
// PSFs that frames share: each is read once, while not too many others were read since.
#pragma once

#include <future>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "extraction.hpp"

namespace specex_cli {

class PsfCache {
 public:
  // Reads the file with the caller's context unless it is known; of several threads that
  // ask for the same one, the others wait. Throws what reading throws.
  std::shared_ptr<const Psf> get(const Context &context, const std::string &path);

 private:
  struct Entry {
    std::string path;
    std::shared_future<std::shared_ptr<const Psf>> psf;
  };
  void forget(const std::string &path);

  std::mutex mutex_;
  std::list<Entry> entries_;  // the one used last comes first
};

}  // namespace specex_cli
