// SPDX-License-Identifier: BSD-3-Clause
//
// The program specex-mpi: `specex exposure` by several processes, on one machine or many.
// Every rank has a pipeline; rank 0, the head, deals the frames, one when a rank has room
// for it, and keeps the report. All MPI is done by the thread that main runs in.
#include <mpi.h>
#include <sched.h>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "exposure/exposure_options.hpp"
#include "exposure/run.hpp"
#include "log.hpp"
#include "program.hpp"
#include "progress.hpp"

namespace specex_cli {
namespace {

using Json = nlohmann::json;

constexpr int head = 0;
// A rank asks for a job, the head sends its number or no_job; a rank sends the record of
// a frame, and says that it has no more to do; the head tells the exit code when all
// have.
enum Tag : int { tag_ask = 1, tag_job, tag_record, tag_leave, tag_end };
constexpr int64_t no_job = -1;

int own_rank() {
  int rank = 0;
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

int rank_count() {
  int count = 0;
  MPI_Comm_size(MPI_COMM_WORLD, &count);
  return count;
}

void send_text(const std::string &text, int rank, Tag tag) {
  MPI_Send(text.data(), static_cast<int>(text.size()), MPI_CHAR, rank, tag,
           MPI_COMM_WORLD);
}

std::string receive_text(const MPI_Status &message) {
  int size = 0;
  MPI_Get_count(&message, MPI_CHAR, &size);
  std::string text(static_cast<size_t>(size), ' ');
  MPI_Recv(text.data(), size, MPI_CHAR, message.MPI_SOURCE, message.MPI_TAG,
           MPI_COMM_WORLD, MPI_STATUS_IGNORE);
  return text;
}

// Whether a message of anybody is there.
bool has_arrived(MPI_Status &message) {
  int found = 0;
  MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, MPI_COMM_WORLD, &found, &message);
  return found != 0;
}

// Text that the head has becomes that of all.
void share_text(std::string &text) {
  int64_t size = static_cast<int64_t>(text.size());
  MPI_Bcast(&size, 1, MPI_INT64_T, head, MPI_COMM_WORLD);
  text.resize(static_cast<size_t>(size));
  MPI_Bcast(text.data(), static_cast<int>(size), MPI_CHAR, head, MPI_COMM_WORLD);
}

// A signal came to all ranks: none waits for the others, whose files are whole as well.
[[noreturn]] void leave_at_once(const Coordinator &coordinator) {
  std::fprintf(stderr, "specex-mpi: stopped; %s\n", coordinator.summary().c_str());
  std::_Exit(stop_exit_code());
}

// Waiting that leaves the cores to those who compute.
void rest(const Coordinator &coordinator) {
  if (stop_signal() != 0) leave_at_once(coordinator);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

Json to_json(size_t job, const FrameRecord &record) {
  const StageSeconds &seconds = record.seconds;
  return {{"job", job},
          {"outcome", static_cast<int>(record.outcome)},
          {"exit_code", record.exit_code},
          {"reason", record.reason.substr(0, 1000)},  // which fits into a short message
          {"seconds", {seconds.read, seconds.extract, seconds.write}}};
}

FrameRecord record_of(const Json &json) {
  const Json &seconds = json["seconds"];
  return {static_cast<Outcome>(json["outcome"].get<int>()),
          json["exit_code"],
          json["reason"],
          {seconds[0], seconds[1], seconds[2]}};
}

// Deals to the other ranks as well.
class HeadCoordinator : public LocalCoordinator {
 public:
  HeadCoordinator(const std::vector<FrameJob> &jobs, int others)
      : LocalCoordinator(jobs), others_(others) {}

  void attend() override {
    for (MPI_Status message; has_arrived(message);) serve(message);
    LocalCoordinator::attend();
  }

  void attend_until_all_left() {
    while (others_ > 0) {
      attend();
      rest(*this);
    }
    erase_progress();
  }

 private:
  void serve(const MPI_Status &message) {
    const std::string text = receive_text(message);
    if (message.MPI_TAG == tag_leave) {
      --others_;
    } else if (message.MPI_TAG == tag_record) {
      const Json json = Json::parse(text);
      done(json["job"], record_of(json));
    } else {
      const auto job = next_job();
      const int64_t number = job ? static_cast<int64_t>(*job) : no_job;
      MPI_Send(&number, 1, MPI_INT64_T, message.MPI_SOURCE, tag_job, MPI_COMM_WORLD);
    }
  }

  int others_;  // ranks that have not left
};

// Asks the head for jobs and tells it of frames. What threads of the pipeline want is
// kept until the main thread attends.
class RankCoordinator : public Coordinator {
 public:
  std::optional<size_t> next_job() override {
    std::unique_lock lock(mutex_);
    ++wanted_;
    changed_.wait(lock, [this] { return no_more_ || !jobs_.empty(); });
    if (jobs_.empty()) return std::nullopt;
    const size_t job = jobs_.front();
    jobs_.pop_front();
    return job;
  }

  void done(size_t job, const FrameRecord &record) override {
    const std::string text =
        to_json(job, record).dump(-1, ' ', false, Json::error_handler_t::replace);
    const std::lock_guard lock(mutex_);
    records_.push_back(text);
  }

  void attend() override {
    std::unique_lock lock(mutex_);
    const auto records = std::exchange(records_, {});
    const int wanted = no_more_ ? 0 : std::exchange(wanted_, 0);
    lock.unlock();
    for (const std::string &record : records) send_text(record, head, tag_record);
    for (int i = 0; i < wanted; ++i) send_text("", head, tag_ask);
    asked_ += wanted;
    for (MPI_Status message; has_arrived(message);) take_job();
  }

  // All that was asked is answered then, and all that was done is told.
  void leave() {
    attend();
    while (asked_ > 0) take_job();
    send_text("", head, tag_leave);
  }

  void stop() override {
    const std::lock_guard lock(mutex_);
    no_more_ = true;
    jobs_.clear();
    changed_.notify_all();
  }

  std::string summary() const override { return text("rank %d", own_rank()); }

 private:
  void take_job() {
    int64_t number = no_job;
    MPI_Recv(&number, 1, MPI_INT64_T, head, tag_job, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    --asked_;
    const std::lock_guard lock(mutex_);
    if (number == no_job)
      no_more_ = true;
    else
      jobs_.push_back(static_cast<size_t>(number));
    changed_.notify_all();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> records_;
  std::deque<size_t> jobs_;
  int wanted_ = 0;
  bool no_more_ = false;
  int asked_ = 0;  // of the head, and not answered; the main thread's
};

// Ranks of this machine, and those of them that may run on the same cores as this one.
Neighbours neighbours() {
  MPI_Comm machine = MPI_COMM_NULL;
  MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
  Neighbours result;
  MPI_Comm_size(machine, &result.on_machine);
  MPI_Comm_rank(machine, &result.number);
  cpu_set_t cores;
  CPU_ZERO(&cores);
  ::sched_getaffinity(0, sizeof cores, &cores);
  std::vector<cpu_set_t> all(static_cast<size_t>(result.on_machine));
  MPI_Allgather(&cores, sizeof cores, MPI_BYTE, all.data(), sizeof cores, MPI_BYTE,
                machine);
  MPI_Comm_free(&machine);
  result.on_cores = 0;
  for (const cpu_set_t &others : all) result.on_cores += CPU_EQUAL(&cores, &others) != 0;
  return result;
}

// How the run ended; the message is the head's to say.
struct Ending {
  int exit_code = exit_good;
  std::string message;
};

// The same rows for all ranks, as the head finds them, or the same failure.
Ending share_jobs(const ExposureOptions &options, std::vector<FrameJob> &jobs) {
  Ending ending;
  std::vector<ManifestRow> rows;
  Json json = Json::array();
  if (own_rank() == head) {
    try {
      rows = rows_of(options);
      jobs = jobs_of(options, rows);
      clear_outputs(jobs);
    } catch (const Failure &failure) {
      ending = {failure.exit_code(), failure.what()};
    }
    for (const ManifestRow &row : rows) json.push_back({row.where, row.values});
  }
  MPI_Bcast(&ending.exit_code, 1, MPI_INT, head, MPI_COMM_WORLD);
  if (ending.exit_code != exit_good) return ending;
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  share_text(text);
  if (own_rank() == head) return ending;
  for (const Json &row : Json::parse(text)) rows.push_back({row[0], row[1]});
  jobs = jobs_of(options, rows);
  return ending;
}

Ending run_head(const ExposureOptions &options, const std::vector<FrameJob> &jobs,
                const PipelineShape &shape) {
  HeadCoordinator coordinator(jobs, rank_count() - 1);
  Pipeline(jobs, shape, coordinator).run();
  if (stop_signal() != 0) leave_at_once(coordinator);
  coordinator.attend_until_all_left();
  write_report(options, coordinator.report(), shape, rank_count());
  Ending ending;
  try {
    conclude(coordinator.report());
  } catch (const Failure &failure) {
    ending = {failure.exit_code(), failure.what()};
  }
  for (int rank = 1; rank < rank_count(); ++rank)
    MPI_Send(&ending.exit_code, 1, MPI_INT, rank, tag_end, MPI_COMM_WORLD);
  return ending;
}

Ending run_rank(const std::vector<FrameJob> &jobs, const PipelineShape &shape) {
  RankCoordinator coordinator;
  Pipeline(jobs, shape, coordinator).run();
  if (stop_signal() != 0) leave_at_once(coordinator);
  coordinator.leave();
  for (MPI_Status message; !has_arrived(message);) rest(coordinator);
  Ending ending;
  MPI_Recv(&ending.exit_code, 1, MPI_INT, head, tag_end, MPI_COMM_WORLD,
           MPI_STATUS_IGNORE);
  return ending;
}

Ending run_ranks(const ExposureOptions &given) {
  const Neighbours beside = neighbours();
  const ExposureOptions options = with_own_device(given, beside);
  std::vector<FrameJob> jobs;
  Ending ending = share_jobs(options, jobs);
  if (ending.exit_code != exit_good) return ending;
  const PipelineShape shape = shape_of(options, jobs, beside);
  return own_rank() == head ? run_head(options, jobs, shape) : run_rank(jobs, shape);
}

// Others may be waiting for this rank, so they are ended with it.
[[noreturn]] void end_all(int exit_code, const char *message) {
  std::fprintf(stderr, "specex-mpi: rank %d: %s\n", own_rank(), message);
  MPI_Abort(MPI_COMM_WORLD, exit_code);
  std::abort();
}

void run_mpi(const ExposureOptions &options) {
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  begin_run(options);
  Ending ending;
  try {
    ending = run_ranks(options);
  } catch (const Failure &failure) {
    end_all(failure.exit_code(), failure.what());
  } catch (const std::exception &error) {
    end_all(exit_bug, error.what());
  }
  const bool speaks = own_rank() == head;
  MPI_Finalize();
  if (ending.exit_code == exit_good) return;
  if (speaks) throw Failure(ending.exit_code, ending.message);
  throw ExitStatus{ending.exit_code};
}

}  // namespace
}  // namespace specex_cli

int main(int argc, char **argv) {
  using namespace specex_cli;
  CLI::App app{"Extract many frames: specex exposure by several MPI processes.",
               "specex-mpi"};
  app.set_version_flag("--version", std::string("specex-mpi ") + specex_version());
  app.footer(
      "Example\n"
      "  mpirun -n 8 specex-mpi night.csv --timing night.json\n\n"
      "Frames are dealt to the ranks one by one; each rank reads, extracts and writes\n"
      "its own. Options and exit status are those of specex exposure. See specex(1).");
  ExposureOptions options;
  add_exposure_options(app, options);
  app.callback([&options] { run_mpi(options); });
  return run_program(app, argc, argv);
}
