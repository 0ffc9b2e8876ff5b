// SPDX-License-Identifier: BSD-3-Clause
#include "mpi/group.hpp"

#include <mpi.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>

#include "exposure/kept_context.hpp"
#include "exposure/psf_cache.hpp"
#include "progress.hpp"

namespace specex_cli {
namespace {

// The leader tells how much memory the next frame takes, and, instead of a frame, the
// exit code of the run.
enum Tag : int { tag_frame = 1, tag_end };

constexpr int leader = 0;

// All ranks; files are whole.
[[noreturn]] void end_without_memory(int64_t bytes) {
  std::fprintf(
      stderr,
      "specex-mpi: no shared memory for a frame of %.0f MB; --group 1 needs none\n",
      static_cast<double>(bytes) / 1e6);
  MPI_Abort(MPI_COMM_WORLD, exit_retryable);
  std::abort();
}

}  // namespace

struct Group::Handles {
  MPI_Comm ranks = MPI_COMM_NULL;
  MPI_Win window = MPI_WIN_NULL;
};

Group::Group(int size) : mpi_(std::make_unique<Handles>()) {
  MPI_Comm machine = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
  int rank = 0;
  MPI_Comm_rank(machine, &rank);
  MPI_Comm_split(machine, rank / size, rank, &mpi_->ranks);
  MPI_Comm_free(&machine);
  MPI_Comm_rank(mpi_->ranks, &rank_);
  MPI_Comm_size(mpi_->ranks, &size_);
}

Group::~Group() = default;

// Called by all of a group. What was in the memory is lost.
void Group::have_memory(int64_t bytes) {
  if (bytes <= bytes_) return;
  free_memory();
  MPI_Comm_set_errhandler(mpi_->ranks, MPI_ERRORS_RETURN);
  const int status =
      MPI_Win_allocate_shared(rank_ == leader ? bytes : 0, 1, MPI_INFO_NULL, mpi_->ranks,
                              &memory_, &mpi_->window);
  MPI_Comm_set_errhandler(mpi_->ranks, MPI_ERRORS_ARE_FATAL);
  if (status != MPI_SUCCESS) end_without_memory(bytes);
  MPI_Aint size = 0;
  int unit = 0;
  MPI_Win_shared_query(mpi_->window, leader, &size, &unit, &memory_);
  MPI_Win_lock_all(MPI_MODE_NOCHECK, mpi_->window);
  bytes_ = bytes;
}

void Group::free_memory() {
  if (bytes_ == 0) return;
  MPI_Win_unlock_all(mpi_->window);
  MPI_Win_free(&mpi_->window);
  bytes_ = 0;
}

void Group::extract(size_t job, const Context &context, Extraction &extraction) {
  const int bundlesize = extraction.settings().options.bundlesize;
  extraction.run(context, [&](const auto &image, const auto &grid, specex_frame &frame) {
    {
      std::unique_lock lock(mutex_);
      task_ = {static_cast<int64_t>(SharedFrame::bytes(image, frame)),
               [&](SharedFrame shared) {
                 shared.begin(job, image, grid, frame, bundlesize, size_);
               }};
      begun_.wait(lock, [this] { return !task_; });
    }
    SharedFrame shared(memory_);
    shared.take_part([&] { shared.extract_shares(context); });
    while (shared.done() < size_) {
      throw_if_stopped();
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    shared.collect(context, frame);
  });
}

void Group::attend() {
  const std::lock_guard lock(mutex_);
  if (!task_) return;
  for (int member = 1; member < size_; ++member)
    MPI_Send(&task_->bytes, 1, MPI_INT64_T, member, tag_frame, mpi_->ranks);
  have_memory(task_->bytes);
  task_->begin(SharedFrame(memory_));
  MPI_Win_sync(mpi_->window);
  MPI_Barrier(mpi_->ranks);
  task_.reset();
  begun_.notify_all();
}

void Group::end(int64_t exit_code) {
  for (int member = 1; member < size_; ++member)
    MPI_Send(&exit_code, 1, MPI_INT64_T, member, tag_end, mpi_->ranks);
  free_memory();
}

int Group::help(const std::vector<FrameJob> &jobs, int threads,
                const std::function<void()> &rest) {
  const Context files = file_context();
  KeptContext kept(threads);
  PsfCache psfs;
  for (;;) {
    int there = 0;
    MPI_Status message;
    MPI_Iprobe(leader, MPI_ANY_TAG, mpi_->ranks, &there, &message);
    if (there == 0) {
      rest();
      continue;
    }
    int64_t number = 0;
    MPI_Recv(&number, 1, MPI_INT64_T, leader, message.MPI_TAG, mpi_->ranks,
             MPI_STATUS_IGNORE);
    if (message.MPI_TAG == tag_end) {
      free_memory();
      return static_cast<int>(number);
    }
    have_memory(number);
    MPI_Barrier(mpi_->ranks);
    MPI_Win_sync(mpi_->window);
    SharedFrame shared(memory_);
    shared.take_part([&] {
      const ExtractionSettings &settings = jobs[shared.job()].settings;
      shared.extract_shares(
          kept.context_for(settings, psfs.get(files, settings.psf_path)));
    });
  }
}

}  // namespace specex_cli
