// SPDX-License-Identifier: BSD-3-Clause
#include "exposure/pipeline.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <system_error>
#include <thread>
#include <utility>

#include "exposure/kept_context.hpp"
#include "exposure/temporaries.hpp"
#include "log.hpp"
#include "progress.hpp"
#include "request.hpp"

namespace specex_cli {
namespace {

using Clock = std::chrono::steady_clock;

}  // namespace

void extract_alone(size_t, const Context &context, Extraction &extraction) {
  extraction.run(context);
}

Pipeline::Pipeline(const std::vector<FrameJob> &jobs, const PipelineShape &shape,
                   Coordinator &coordinator, Extract extract)
    : jobs_(jobs),
      shape_(shape),
      coordinator_(coordinator),
      extract_(std::move(extract)),
      memory_(shape.memory),
      read_(static_cast<size_t>(shape.extractors)),
      extracted_(static_cast<size_t>(shape.writers)),
      readers_(shape.readers),
      extractors_(shape.extractors),
      writers_(shape.writers) {}

// Whatever goes wrong with a frame is said of it and leaves the others alone.
template <class Work>
void Pipeline::isolate(size_t job, Work work) {
  try {
    work();
  } catch (...) {
    const Failure failure = failure_being_handled();
    if (stop_signal() == 0)
      coordinator_.done(job, failed_frame(failure.exit_code(), failure.what()));
  }
}

Pipeline::Frame Pipeline::read_frame(const Context &context, size_t number) {
  const FrameJob &job = jobs_[number];
  const auto start = Clock::now();
  check_output_names(job.output);
  if (shape_.resume) {
    if (const auto shortcoming = find_finished(context, job.settings, job.output)) {
      coordinator_.done(number, found_frame(*shortcoming, seconds_since(start)));
      return nullptr;
    }
  }
  const auto psf = psfs_.get(context, job.settings.psf_path);
  auto share = memory_.take(memory_of_frame(job.settings, job.output, psf->info));
  const auto read_start = Clock::now();
  auto frame = std::make_unique<FrameInFlight>(FrameInFlight{
      number, std::move(share), Extraction(context, job.settings, psf), {}});
  check_frame_output(frame->extraction, job.output);
  frame->seconds.read = seconds_since(read_start);
  return frame;
}

void Pipeline::read_frames() {
  const Context context = file_context();
  while (!stopping_) {
    const auto job = coordinator_.next_job();
    if (!job) return;
    isolate(*job, [&] {
      if (Frame frame = read_frame(context, *job)) read_.push(std::move(frame));
    });
  }
}

void Pipeline::extract_frame(const Context &context, FrameInFlight &frame) {
  extract_(frame.job, context, frame.extraction);
  frame.seconds.extract = frame.extraction.extract_seconds();
  log_info(text("%s extract-time: %.3f sec for %lld patches",
                jobs_[frame.job].name.c_str(), frame.seconds.extract,
                static_cast<long long>(frame.extraction.frame().view().npatch)));
}

void Pipeline::extract_frames() {
  KeptContext kept(shape_.threads, shape_.spot_memory);
  while (auto frame = read_.pop())
    isolate((*frame)->job, [&] {
      const Extraction &extraction = (*frame)->extraction;
      extract_frame(kept.context_for(extraction.settings(), extraction.psf()), **frame);
      extracted_.push(std::move(*frame));
    });
}

void Pipeline::write_frame(const Context &context, FrameInFlight &frame) {
  const auto start = Clock::now();
  write_frame_output(context, frame.extraction, jobs_[frame.job].output);
  frame.seconds.write = seconds_since(start);
  const specex_frame &written = frame.extraction.frame().view();
  coordinator_.done(frame.job, written_frame(shortcoming_of(written), frame.seconds));
}

void Pipeline::write_frames() {
  const Context context = file_context();
  while (auto frame = extracted_.pop())
    isolate((*frame)->job, [&] { write_frame(context, **frame); });
}

void Pipeline::run_stage(void (Pipeline::*stage)(), std::atomic<int> &running,
                         BoundedQueue<Frame> *next) {
  try {
    (this->*stage)();
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (!failure_) failure_ = std::current_exception();
    stop();
  }
  if (--running == 0 && next) next->close();
  const std::lock_guard lock(mutex_);
  --threads_;
  ended_.notify_all();
}

bool Pipeline::wait_until_ended(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  return ended_.wait_for(lock, time, [this] { return threads_ == 0; });
}

void Pipeline::stop() {
  stopping_ = true;
  coordinator_.stop();
  memory_.stop();
  read_.stop();
  extracted_.stop();
}

// A file that is being compressed cannot be interrupted, so the process ends instead.
void Pipeline::abandon() const {
  remove_temporaries(outputs_of(jobs_), WrittenBy::this_process);
  erase_progress();
  std::fprintf(stderr, "specex: stopped; %s\n", coordinator_.summary().c_str());
  ::_exit(stop_exit_code());
}

void Pipeline::run() {
  std::vector<std::thread> threads;
  const auto start = [&](int count, void (Pipeline::*stage)(), std::atomic<int> &running,
                         BoundedQueue<Frame> *next) {
    for (int i = 0; i < count; ++i)
      threads.emplace_back([=, this, &running] { run_stage(stage, running, next); });
  };
  threads_ = shape_.readers + shape_.extractors + shape_.writers;
  try {
    start(shape_.readers, &Pipeline::read_frames, readers_, &read_);
    start(shape_.extractors, &Pipeline::extract_frames, extractors_, &extracted_);
    start(shape_.writers, &Pipeline::write_frames, writers_, nullptr);
  } catch (const std::system_error &) {  // a thread was refused
    stop();
    for (std::thread &thread : threads) thread.join();
    throw Failure(exit_retryable, "not enough threads");
  }

  constexpr std::chrono::milliseconds moment(20);
  constexpr std::chrono::milliseconds grace(1200);
  std::optional<Clock::time_point> deadline;
  while (!wait_until_ended(moment)) {
    coordinator_.attend();
    if (stop_signal() == 0) continue;
    if (!deadline) {
      stop();
      deadline = Clock::now() + grace;
    }
    if (Clock::now() > *deadline) abandon();
  }
  for (std::thread &thread : threads) thread.join();
  erase_progress();
  if (failure_) std::rethrow_exception(failure_);
}

}  // namespace specex_cli
