// SPDX-License-Identifier: BSD-3-Clause
#include "exposure/psf_cache.hpp"

#include <algorithm>

namespace specex_cli {
namespace {

constexpr size_t most_entries = 64;  // two exposures of 30 cameras, 1 or 2 MB each

}  // namespace

std::shared_ptr<const Psf> PsfCache::get(const Context &context,
                                         const std::string &path) {
  std::promise<std::shared_ptr<const Psf>> promise;
  {
    std::unique_lock lock(mutex_);
    const auto known = std::find_if(entries_.begin(), entries_.end(),
                                    [&](const Entry &e) { return e.path == path; });
    if (known != entries_.end()) {
      entries_.splice(entries_.begin(), entries_, known);
      const std::shared_future<std::shared_ptr<const Psf>> psf = entries_.front().psf;
      lock.unlock();
      return psf.get();
    }
    entries_.push_front({path, promise.get_future().share()});
    if (entries_.size() > most_entries) entries_.pop_back();
  }
  try {
    auto psf = read_psf(context, path);
    promise.set_value(psf);
    return psf;
  } catch (...) {
    forget(path);  // it may be another time
    promise.set_exception(std::current_exception());
    throw;
  }
}

void PsfCache::forget(const std::string &path) {
  const std::lock_guard lock(mutex_);
  entries_.remove_if([&](const Entry &entry) { return entry.path == path; });
}

}  // namespace specex_cli
