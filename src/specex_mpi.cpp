// SPDX-License-Identifier: BSD-3-Clause
//
// The program specex-mpi: `specex exposure` by several processes, on one machine or many.
// Ranks that lead a group, by default all, have a pipeline; the others help their leader.
// Rank 0, the head, deals the frames, one when a leader has room for it, and keeps the
// report. All MPI is done by the thread that main runs in.
#include <mpi.h>
#include <sched.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>

#include "exposure/exposure_options.hpp"
#include "exposure/run.hpp"
#include "log.hpp"
#include "mpi/group.hpp"
#include "program.hpp"
#include "progress.hpp"

namespace specex_cli {
namespace {

using Json = nlohmann::json;

struct MpiOptions : ExposureOptions {
  int group = 0;  // ranks; 0: chosen here
};

constexpr int head = 0;
// A leader asks for a job, the head sends its number or no_job; a leader sends the record
// of a frame, and says that it has no more to do; the head tells the exit code when all
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
[[noreturn]] void leave_at_once(const std::string &summary) {
  std::fprintf(stderr, "specex-mpi: stopped; %s\n", summary.c_str());
  std::_Exit(stop_exit_code());
}

// Waiting that leaves the cores to those who compute.
void rest(const std::string &summary) {
  if (stop_signal() != 0) leave_at_once(summary);
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

std::string rank_name() { return text("rank %d", own_rank()); }

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

// Deals to the other leaders as well.
class HeadCoordinator : public LocalCoordinator {
 public:
  HeadCoordinator(const std::vector<FrameJob> &jobs, Group &group, int others)
      : LocalCoordinator(jobs), group_(group), others_(static_cast<size_t>(others)) {}

  void attend() override {
    for (MPI_Status message; has_arrived(message);) serve(message);
    group_.attend();
    LocalCoordinator::attend();
  }

  // All have done then what they were dealt, and wait for the exit code.
  const std::vector<int> &attend_until_all_left() {
    while (left_.size() < others_) {
      attend();
      rest(summary());
    }
    erase_progress();
    return left_;
  }

 private:
  void serve(const MPI_Status &message) {
    const std::string text = receive_text(message);
    if (message.MPI_TAG == tag_leave) {
      left_.push_back(message.MPI_SOURCE);
    } else if (message.MPI_TAG == tag_record) {
      const Json json = Json::parse(text);
      done(json["job"], record_of(json));
    } else {
      const auto job = next_job();
      const int64_t number = job ? static_cast<int64_t>(*job) : no_job;
      MPI_Send(&number, 1, MPI_INT64_T, message.MPI_SOURCE, tag_job, MPI_COMM_WORLD);
    }
  }

  Group &group_;
  const size_t others_;
  std::vector<int> left_;  // ranks
};

// Asks the head for jobs and tells it of frames. What threads of the pipeline want is
// kept until the main thread attends.
class LeaderCoordinator : public Coordinator {
 public:
  explicit LeaderCoordinator(Group &group) : group_(group) {}

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
    group_.attend();
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

  std::string summary() const override { return rank_name(); }

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

  Group &group_;
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

// GPUs of this machine, as CUDA_VISIBLE_DEVICES names them.
std::vector<std::string> visible_devices() {
  std::vector<std::string> devices;
  if (const char *given = std::getenv("CUDA_VISIBLE_DEVICES")) {
    std::istringstream list(given);
    for (std::string device; std::getline(list, device, ',');) devices.push_back(device);
    return devices;
  }
  std::error_code none;
  for ([[maybe_unused]] const auto &gpu :
       std::filesystem::directory_iterator("/proc/driver/nvidia/gpus", none))
    devices.push_back(std::to_string(devices.size()));
  return devices;
}

// One GPU for each rank of a machine, or one for several: of all from --device on, or of
// as many as --num-devices says. Before CUDA is asked for them: it then has no other.
void choose_device(int number, RunOptions &run) {
  const std::vector<std::string> devices = visible_devices();
  const auto first = static_cast<size_t>(std::max(0, run.device));
  if (first >= devices.size()) return;
  size_t count = devices.size() - first;
  if (run.num_devices > 1) count = std::min(count, static_cast<size_t>(run.num_devices));
  const std::string &own = devices[first + static_cast<size_t>(number) % count];
  ::setenv("CUDA_VISIBLE_DEVICES", own.c_str(), 1);
  run.device = 0;
  run.num_devices = 1;
  log_info(rank_name() + " has GPU " + own);
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

// Ranks that extract a frame together, where it is not told: as many as there are for it.
int group_size(int asked, const std::vector<FrameJob> &jobs) {
  const int frames = static_cast<int>(std::max<size_t>(1, jobs.size()));
  const int size = asked > 0 ? asked : std::max(1, rank_count() / frames);
  // Models of bundles overlap, and bits depend on the order of their sum.
  const bool models = std::any_of(jobs.begin(), jobs.end(),
                                  [](const FrameJob &job) { return job.settings.model; });
  if (models && asked > 1 && own_rank() == head)
    log_warning("a frame with a model image is extracted by one rank");
  return models ? 1 : size;
}

int count_leaders(const Group &group) {
  int count = group.leads();
  MPI_Allreduce(MPI_IN_PLACE, &count, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  return count;
}

void run_pipeline(const std::vector<FrameJob> &jobs, const PipelineShape &shape,
                  Coordinator &coordinator, Group &group) {
  const auto together = [&group](size_t job, const Context &context,
                                 Extraction &extraction) {
    group.extract(job, context, extraction);
  };
  Pipeline(jobs, shape, coordinator, group.size() > 1 ? Extract(together) : extract_alone)
      .run();
  if (stop_signal() != 0) leave_at_once(coordinator.summary());
}

Ending run_head(const ExposureOptions &options, const std::vector<FrameJob> &jobs,
                const PipelineShape &shape, Group &group, int leaders) {
  HeadCoordinator coordinator(jobs, group, leaders - 1);
  run_pipeline(jobs, shape, coordinator, group);
  const std::vector<int> others = coordinator.attend_until_all_left();
  write_report(options, coordinator.report(), shape, rank_count());
  Ending ending;
  try {
    conclude(coordinator.report());
  } catch (const Failure &failure) {
    ending = {failure.exit_code(), failure.what()};
  }
  for (const int rank : others)
    MPI_Send(&ending.exit_code, 1, MPI_INT, rank, tag_end, MPI_COMM_WORLD);
  return ending;
}

Ending run_leader(const std::vector<FrameJob> &jobs, const PipelineShape &shape,
                  Group &group) {
  LeaderCoordinator coordinator(group);
  run_pipeline(jobs, shape, coordinator, group);
  coordinator.leave();
  for (MPI_Status message; !has_arrived(message);) rest(rank_name());
  Ending ending;
  MPI_Recv(&ending.exit_code, 1, MPI_INT, head, tag_end, MPI_COMM_WORLD,
           MPI_STATUS_IGNORE);
  return ending;
}

Ending run_ranks(MpiOptions options) {
  Neighbours beside = neighbours();
  choose_device(beside.number, options.run);
  std::vector<FrameJob> jobs;
  Ending ending = share_jobs(options, jobs);
  if (ending.exit_code != exit_good) return ending;
  Group group(group_size(options.group, jobs));
  if (group.size() > 1) options.extractors = 1;
  beside.with_frames = count_leaders(group);
  const PipelineShape shape = shape_of(options, jobs, beside);
  if (!group.leads())
    return {group.help(jobs, shape.threads, [] { rest(rank_name()); }), ""};
  ending = own_rank() == head ? run_head(options, jobs, shape, group, beside.with_frames)
                              : run_leader(jobs, shape, group);
  group.end(ending.exit_code);
  return ending;
}

// Others may be waiting for this rank, so they are ended with it.
[[noreturn]] void end_all(const Failure &failure) {
  std::fprintf(stderr, "specex-mpi: %s: %s\n", rank_name().c_str(), failure.what());
  MPI_Abort(MPI_COMM_WORLD, failure.exit_code());
  std::abort();
}

void run_mpi(const MpiOptions &options) {
  int provided = 0;
  MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &provided);
  begin_run(options);
  Ending ending;
  try {
    ending = run_ranks(options);
  } catch (...) {
    end_all(failure_being_handled());
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
      "its own. Where there are fewer frames than ranks, groups of ranks extract a "
      "frame\n"
      "together. Options and exit status are those of specex exposure. See specex(1).");
  MpiOptions options;
  add_exposure_options(app, options);
  app.add_option("--group", options.group,
                 "Ranks of a machine that extract a frame together [1; more where there\n"
                 "are fewer frames than ranks]")
      ->check(CLI::NonNegativeNumber)
      ->type_name("RANKS")
      ->group("Pipeline");
  app.callback([&options] { run_mpi(options); });
  return run_program(app, argc, argv);
}
