// SPDX-License-Identifier: BSD-3-Clause
//
// Solves windows on a device: a template over what a device is (docs/architecture.md,
// "The cuda backend"), so that the same steps run on a GPU and, for the tests, on the
// processor. All windows of a call are one sheet; where that is too much for the device,
// or its geometry for the kernels, they are two, and so on.
#pragma once

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "kernels/backend.hpp"
#include "kernels/cuda/device_tables.hpp"
#include "kernels/cuda/elimination.hpp"
#include "kernels/cuda/equations.hpp"
#include "kernels/cuda/finish.hpp"
#include "kernels/cuda/flux.hpp"
#include "kernels/cuda/model.hpp"
#include "kernels/shared/finish.hpp"
#include "kernels/shared/patch_pixels.hpp"

namespace specex::gpu {

// A window and where its results go, in device memory.
struct Task {
  const Window *window;
  const specex_patch *patch;        // that it belongs to
  PatchOutput output;               // the window's part of the patch's
  uint32_t verdict = verdict_good;  // out
};

// The half bands that kernels are compiled for.
template <class Function>
void for_half_band(int half_band, Function &&function) {
  switch (half_band) {
    case 8:
      return function.template operator()<8>();
    case 10:
      return function.template operator()<10>();
    default:
      return function.template operator()<15>();
  }
}
inline constexpr std::array half_bands = {8, 10, 15};
inline constexpr int max_lags = 48;

// Of a sheet: more would gain nothing, and a device may have other users.
inline constexpr size_t preferred_bytes = size_t{3} << 30;

// What a device keeps from call to call.
template <class Device>
struct Buffers {
  explicit Buffers(Device &device)
      : image(device), tables(device), geometry(device), sheet(device), mirror(device) {}
  Buffer<Device> image;
  Buffer<Device> tables;
  Buffer<Device> geometry;
  Buffer<Device> sheet;
  Buffer<Device> mirror;
};

template <class Device>
class SheetSolver {
 public:
  // image: in device memory
  SheetSolver(Device &device, Buffers<Device> &buffers, const Run &run,
              const specex_image &image, const PsfOnDevice<Device> &tables)
      : device_(device), buffers_(buffers), run_(run), image_(image), tables_(tables) {}

  // Tasks of one wavelength grid, sorted by bundle and bin, no two of which have a core
  // bin in common.
  void solve(std::span<Task *const> tasks) {
    if (tasks.empty()) return;
    if (run_.progress.cancelled()) {
      leave(tasks);
      return;
    }
    if (solve_sheet(tasks)) return;
    if (tasks.size() == 1) throw Error(*refusal_);
    solve(tasks.first(tasks.size() / 2));
    solve(tasks.subspan(tasks.size() / 2));
  }

 private:
  using Tasks = std::span<Task *const>;

  struct GroupOfTasks {
    Group group{};
    std::vector<Task *> tasks;
    std::vector<DeviceWindow> windows;
    int64_t canvas_pixels = 0;  // of the largest window
    int64_t canvas_size = 0;    // of all
  };

  // Not to be solved here.
  static void leave(Tasks tasks) {
    for (Task *task : tasks) task->verdict |= verdict_elsewhere;
  }

  // False where the memory for it is refused.
  bool reserve(Buffer<Device> &buffer, const Layout &layout) {
    try {
      layout.place(buffer.reserve(layout.size()));
      return true;
    } catch (const Error &error) {
      if (error.status() != SPECEX_ERROR_MEMORY) throw;
      refusal_ = error;
      return false;
    }
  }

  // False, and nothing done, where fewer tasks should be tried.
  bool solve_sheet(Tasks tasks) {
    Sheet sheet = shape_of(tasks);
    std::vector<GroupOfTasks> groups = group_tasks(tasks, sheet);
    Geometry geometry;
    if (!find_geometry(tasks, sheet, groups, geometry)) return false;
    const Reach &reach = geometry.reach;
    if (reach.falling != 0) {
      std::vector<Task *> rising;
      for (Task *task : tasks)
        if (falls(*task, sheet, geometry))
          leave(std::span(&task, 1));
        else
          rising.push_back(task);
      solve(rising);
      return true;
    }
    const bool coupled = reach.lowest_lag <= reach.highest_lag;
    sheet.half_band = std::max(reach.band, run_.psf.ndiag() / 2);
    sheet.first_lag = coupled ? reach.lowest_lag : 0;
    sheet.nlag = coupled ? reach.highest_lag - reach.lowest_lag + 1 : 0;
    // One more than the spots' own: marginalising the neighbours fills it in, slightly.
    const auto band = std::find_if(half_bands.begin(), half_bands.end(),
                                   [&](int b) { return b >= sheet.half_band + 1; });
    if (band == half_bands.end() || sheet.nlag > max_lags) {
      if (tasks.size() > 1) return false;
      leave(tasks);
      return true;
    }
    return solve_groups(sheet, groups, band, geometry, tasks.size() > 1);
  }

  struct Geometry {
    Reach reach;
    std::vector<FiberReach> fibers;
    FiberReach *fibers_there = nullptr;  // on the device
  };

  static bool falls(const Task &task, const Sheet &sheet, const Geometry &geometry) {
    const specex_patch &own = task.window->shape;
    const auto first =
        geometry.fibers.begin() + (own.pad_first_fiber - sheet.first_fiber);
    return std::any_of(first, first + own.pad_nfiber,
                       [](const FiberReach &fiber) { return fiber.falls != 0; });
  }

  Sheet shape_of(Tasks tasks) const {
    const specex_patch &one = tasks.front()->window->shape;
    int first_fiber = one.pad_first_fiber;
    int end_fiber = first_fiber;
    int first_bin = one.pad_first_bin;
    int end_bin = first_bin;
    for (const Task *task : tasks) {
      const specex_patch &own = task->window->shape;
      first_fiber = std::min(first_fiber, own.pad_first_fiber);
      end_fiber = std::max(end_fiber, own.pad_first_fiber + own.pad_nfiber);
      first_bin = std::min(first_bin, own.pad_first_bin);
      end_bin = std::max(end_bin, own.pad_first_bin + own.pad_nbin);
    }
    Sheet sheet{};
    sheet.first_fiber = first_fiber;
    sheet.nfiber = end_fiber - first_fiber;
    sheet.first_bin = first_bin;
    sheet.nbin = end_bin - first_bin;
    sheet.wavemin = one.wavemin;
    sheet.wavestep = one.wavestep;
    sheet.nx = run_.psf.spot_nx();
    sheet.ny = run_.psf.spot_ny();
    sheet.ccd = {0, static_cast<int>(image_.nx), 0, static_cast<int>(image_.ny)};
    return sheet;
  }

  std::vector<GroupOfTasks> group_tasks(Tasks tasks, const Sheet &sheet) const {
    const auto key = [](const Task &task) {
      const specex_patch &shape = task.window->shape;
      return std::tuple(shape.pad_nfiber, shape.nfiber,
                        shape.first_fiber - shape.pad_first_fiber, shape.pad_nbin);
    };
    std::map<decltype(key(*tasks.front())), size_t> numbers;
    std::vector<GroupOfTasks> groups;
    for (Task *task : tasks) {
      const auto [found, is_new] = numbers.emplace(key(*task), groups.size());
      if (is_new) groups.emplace_back();
      groups[found->second].tasks.push_back(task);
    }
    for (GroupOfTasks &own : groups) {
      const specex_patch &one = own.tasks.front()->window->shape;
      const PatchShape shape(one);
      Group &group = own.group;
      group.nwindow = static_cast<int>(own.tasks.size());
      group.nfiber = shape.nfiber;
      group.nbin = shape.nbin;
      group.nkeep = one.ndiag / 2;
      group.core_fiber = shape.core_fiber;
      group.ncore_fiber = one.nfiber;
      group.nproblem = int64_t{group.nwindow} * group.nfiber;
      group.wavestep = one.wavestep;
      group.rules = run_.rules;
      for (const Task *task : own.tasks) {
        own.windows.push_back(window_of(*task, sheet));
        group.most_core_bins =
            std::max(group.most_core_bins, own.windows.back().ncore_bin);
      }
    }
    return groups;
  }

  DeviceWindow window_of(const Task &task, const Sheet &sheet) const {
    const specex_patch &own = task.window->shape;
    const PatchShape shape(own);
    return {own.pad_first_fiber - sheet.first_fiber,
            own.pad_first_bin - sheet.first_bin,
            shape.core_fiber,
            shape.core_bin,
            own.nfiber,
            own.nbin,
            model_bins(run_.rules, own),
            task.window->cut_low ? 1 : 0,
            task.window->cut_high ? 1 : 0,
            patch_box(own, image_),
            {1 << 30, -(1 << 30), 1 << 30, -(1 << 30)},
            0,
            task.output};
  }

  // Where the spots are, on the device; what follows from it is read back, because it
  // decides how large the arrays are.
  bool find_geometry(Tasks tasks, Sheet &sheet, std::vector<GroupOfTasks> &groups,
                     Geometry &geometry) {
    device_.begin(SPECEX_STAGE_PIXELS);
    std::vector<int> coupled(static_cast<size_t>(sheet.nfiber));
    for (const Task *task : tasks) {
      const specex_patch &own = task->window->shape;
      std::fill_n(coupled.begin() + (own.pad_first_fiber - sheet.first_fiber),
                  own.pad_nfiber - 1, 1);
    }
    geometry.reach = no_reach;
    geometry.fibers.assign(static_cast<size_t>(sheet.nfiber), no_fiber_reach);
    int *coupled_there = nullptr;
    Reach *reach_there = nullptr;
    Layout layout;
    layout.add(sheet.x0, sheet.size());
    layout.add(sheet.y0, sheet.size());
    layout.add(coupled_there, sheet.nfiber);
    layout.add(reach_there, 1);
    layout.add(geometry.fibers_there, sheet.nfiber);
    for (GroupOfTasks &own : groups) {
      layout.add(own.group.windows, own.group.nwindow);
      layout.add(own.group.verdict, own.group.nwindow);
    }
    if (!reserve(buffers_.geometry, layout)) return false;
    sheet.coupled = coupled_there;
    upload_all(device_, coupled_there, coupled);
    device_.upload(reach_there, &geometry.reach, sizeof(Reach));
    upload_all(device_, geometry.fibers_there, geometry.fibers);
    for (GroupOfTasks &own : groups) upload_all(device_, own.group.windows, own.windows);
    device_.run(sheet.size(), FindCorners{sheet, tables_.psf()});
    device_.run(sheet.size(), FindReach{sheet, half_bands.back() + 1, reach_there,
                                        geometry.fibers_there});
    for (GroupOfTasks &own : groups)
      device_.run(core_bins(own.group), FindCanvas{sheet, own.group});
    device_.download(&geometry.reach, reach_there, sizeof(Reach));
    download_all(device_, geometry.fibers, geometry.fibers_there);
    for (GroupOfTasks &own : groups)
      download_all(device_, own.windows, own.group.windows);
    device_.synchronize();
    for (GroupOfTasks &own : groups) {
      for (DeviceWindow &window : own.windows) {
        window.canvas = intersect(window.canvas, window.box);
        window.canvas_at = own.canvas_size;
        const int64_t pixels = int64_t{window.canvas.width()} * window.canvas.height();
        own.canvas_size += pixels;
        own.canvas_pixels = std::max(own.canvas_pixels, pixels);
      }
      upload_all(device_, own.group.windows, own.windows);
    }
    return true;
  }

  static int64_t core_bins(const Group &group) {
    return int64_t{group.most_core_bins} * group.nwindow * group.ncore_fiber;
  }

  bool solve_groups(Sheet &sheet, std::vector<GroupOfTasks> &groups, const int *half_band,
                    const Geometry &geometry, bool may_be_less) {
    const Reach &reach = geometry.reach;
    const FiberReach *fibers = geometry.fibers_there;
    // Rows of the CCD that have spots.
    const int ymin = std::max(reach.ymin, 0);
    const int nrow = std::max(0, std::min(reach.ymax, sheet.ccd.ymax) - ymin);
    const int64_t nextent =
        int64_t{nrow} * ((sheet.nfiber + fibers_of_extent - 1) / fibers_of_extent);
    const std::vector<ModelTask> model_tasks = find_model_tasks(sheet, groups);
    int *first_bin = nullptr;
    RowExtent *extents = nullptr;
    ModelTask *model_tasks_there = nullptr;
    double *canvas = nullptr;
    Layout layout;
    layout.add(sheet.spots, sheet.size() * sheet.nx * sheet.ny);
    layout.add(sheet.band, sheet.size() * (sheet.half_band + 1));
    layout.add(sheet.cross, sheet.size() * sheet.nlag);
    for (double **array : {&sheet.data, &sheet.weight, &sheet.usable, &sheet.masked,
                           &sheet.far, &sheet.flux})
      layout.add(*array, sheet.size());
    layout.add(first_bin, int64_t{nrow} * sheet.nfiber);
    layout.add(extents, nextent);
    layout.add(model_tasks_there, static_cast<int64_t>(model_tasks.size()));
    // Groups follow each other, in the same memory; it does for the next wider band, too.
    size_t most = 0;
    for (GroupOfTasks &own : groups)
      for (const int *band = half_band; band != half_bands.end() && band <= half_band + 1;
           ++band)
        most = std::max(most, lay_out(sheet, own, *band, canvas).size());
    char *rest = nullptr;
    layout.add(rest, static_cast<int64_t>(most));
    if (may_be_less && layout.size() > preferred_bytes) return false;
    if (!reserve(buffers_.sheet, layout)) return false;

    form_blocks(sheet, fibers);
    const RowTable rows{first_bin, ymin, nrow};
    device_.run(int64_t{nrow} * sheet.nfiber, FillRowTable{sheet, ymin, first_bin});
    device_.clear(sheet.flux, static_cast<size_t>(sheet.size()) * sizeof(double));
    // Windows whose marginal matrices go beyond the band are solved again with a wider
    // one.
    for (; half_band != half_bands.end(); ++half_band) {
      for (GroupOfTasks &own : groups) {
        if (own.tasks.empty()) continue;
        const Layout of_group = lay_out(sheet, own, *half_band, canvas);
        if (of_group.size() > most) continue;  // left: this is rare enough
        of_group.place(rest);
        device_.clear(own.group.verdict, own.tasks.size() * sizeof(uint32_t));
        for_half_band(*half_band,
                      [&]<int Band>() { solve_group<Band>(sheet, own.group); });
        report(sheet, own, rows, fibers, canvas, !model_tasks.empty());
      }
      if (!keep_truncated(groups)) break;
    }
    if (!model_tasks.empty()) {
      upload_all(device_, model_tasks_there, model_tasks);
      device_.run(nextent, FindRowExtents{sheet, rows, extents});
      const int64_t largest = largest_image(model_tasks);
      device_.run(largest * static_cast<int64_t>(model_tasks.size()),
                  PaintModel{sheet, rows, extents, model_tasks_there, largest});
    }
    device_.begin(SPECEX_STAGE_FRAME);
    device_.synchronize();
    return true;
  }

  void form_blocks(const Sheet &sheet, const FiberReach *fibers) {
    device_.begin(SPECEX_STAGE_SPOTS);
    if (run_.psf.ghdegx <= 6 && run_.psf.ghdegy <= 6 && sheet.ny <= 11)
      device_.run(sheet.size(), EvaluateSpots<6, 11>{sheet, tables_.psf()});
    else
      device_.run(sheet.size(),
                  EvaluateSpots<max_degree, max_side>{sheet, tables_.psf()});
    device_.begin(SPECEX_STAGE_BLOCKS);
    device_.run(sheet.size() * (sheet.half_band + 1 + sheet.nlag),
                FormBlocks{sheet, image_});
    device_.run(sheet.size(), FormSums{sheet, image_});
    device_.run(sheet.size(), FindFarCoupling{sheet, image_, fibers});
  }

  // Writes what became of a group's windows that are solved.
  void report(const Sheet &sheet, const GroupOfTasks &own, const RowTable &rows,
              const FiberReach *fibers, double *canvas, bool with_model) {
    device_.begin(SPECEX_STAGE_FINISH);
    device_.run(core_bins(own.group),
                Finish{own.group, sheet.first_fiber, tables_.psf().failed_fit});
    device_.begin(SPECEX_STAGE_MODEL);
    if (wants_chi2(own)) {
      device_.run(
          own.canvas_pixels * own.group.nwindow,
          FillCanvas{sheet, image_, own.group, rows, fibers, own.canvas_pixels, canvas});
      device_.run(core_bins(own.group), SumChi2{sheet, own.group, canvas});
    }
    if (with_model) device_.run(core_bins(own.group), StoreModelFlux{sheet, own.group});
  }

  static int64_t largest_image(const std::vector<ModelTask> &tasks) {
    int64_t largest = 0;
    for (const ModelTask &task : tasks)
      largest =
          std::max(largest, int64_t{task.target.box.width()} * task.target.box.height());
    return largest;
  }

  // Reads what became of the groups' windows, and keeps those that a wider band may
  // solve. Whether there are any.
  bool keep_truncated(std::vector<GroupOfTasks> &groups) {
    std::vector<std::vector<uint32_t>> verdicts;
    for (GroupOfTasks &own : groups) {
      verdicts.emplace_back(own.tasks.size());
      download_all(device_, verdicts.back(), own.group.verdict);
    }
    device_.synchronize();
    bool any = false;
    for (size_t g = 0; g < groups.size(); ++g) {
      GroupOfTasks &own = groups[g];
      std::vector<Task *> tasks;
      std::vector<DeviceWindow> windows;
      for (size_t k = 0; k < own.tasks.size(); ++k) {
        own.tasks[k]->verdict = verdicts[g][k];
        if (verdicts[g][k] != verdict_truncated) continue;
        tasks.push_back(own.tasks[k]);
        windows.push_back(own.windows[k]);
      }
      own.tasks = std::move(tasks);
      own.windows = std::move(windows);
      own.group.nwindow = static_cast<int>(own.tasks.size());
      own.group.nproblem = int64_t{own.group.nwindow} * own.group.nfiber;
      upload_all(device_, own.group.windows, own.windows);
      any = any || !own.tasks.empty();
    }
    return any;
  }

  static bool wants_chi2(const GroupOfTasks &own) {
    return std::any_of(own.tasks.begin(), own.tasks.end(),
                       [](const Task *task) { return task->output.chi2pix != nullptr; });
  }

  // Images that models are added to: that of the frame, or each patch's.
  std::vector<ModelTask> find_model_tasks(const Sheet &sheet,
                                          const std::vector<GroupOfTasks> &groups) const {
    std::vector<ModelTask> tasks;
    std::map<const double *, bool> known;
    for (const GroupOfTasks &own : groups)
      for (const Task *task : own.tasks) {
        const ModelTarget &target = task->output.model;
        if (target.pixels == nullptr || !known.emplace(target.pixels, true).second)
          continue;
        const specex_patch &patch = *task->patch;
        if (run_.frame != nullptr)
          tasks.push_back({target, 0, sheet.nfiber, 0, sheet.nbin});
        else
          tasks.push_back(
              {target, patch.first_fiber - sheet.first_fiber,
               patch.first_fiber + patch.nfiber - sheet.first_fiber,
               std::max(0, patch.first_bin - sheet.first_bin),
               std::min(sheet.nbin, patch.first_bin + patch.nbin - sheet.first_bin)});
      }
    return tasks;
  }

  static Layout lay_out(const Sheet &sheet, GroupOfTasks &own, int half_band,
                        double *&canvas) {
    Layout layout;
    Group &group = own.group;
    group.half_band = half_band;
    group.first_lag = sheet.first_lag;
    group.nlag = sheet.nlag;
    const int64_t bins = group.nproblem * group.nbin;
    for (double **array : {&group.band, &group.factor, &group.factor2, &group.reduced,
                           &group.left, &group.right})
      layout.add(*array, bins * (half_band + 1));
    layout.add(group.cross, bins * group.nlag);
    layout.add(group.columns, bins * group.column_rows());
    layout.add(group.diagonals, bins * (group.nkeep + 1));
    for (double **array :
         {&group.data, &group.weight, &group.usable, &group.masked, &group.flux,
          &group.work, &group.effect, &group.row_sum, &group.smoothed})
      layout.add(*array, bins);
    layout.add(group.measured, bins);
    layout.add(group.largest, group.nproblem);
    layout.add(group.largest_of_window, group.nwindow);
    layout.add(group.upper, group.nproblem);
    layout.add(group.root, group.nproblem);
    layout.add(canvas, own.canvas_size);
    return layout;
  }

  template <int Band>
  void solve_group(const Sheet &sheet, const Group &group) {
    const int64_t problems = group.nproblem;
    const int64_t bins = problems * group.nbin;
    device_.begin(SPECEX_STAGE_GATHER);
    device_.run(bins * (Band + 1 + group.nlag), CutBlocks{sheet, image_, group});
    device_.run(bins, CutSums{sheet, image_, group});
    device_.run(problems, FindLargest{group});
    device_.run(group.nwindow, FindLargestOfWindow{group});
    device_.run(bins, ConditionDiagonal{group});
    device_.run(bins, Decouple{group});

    device_.begin(SPECEX_STAGE_ELIMINATION);
    device_.run(problems, Factorise<Band>{group, group.band, group.factor});
    const auto marginalise = [&](const double *factor, int direction, bool again) {
      const Coupling x{direction};
      device_.run(bins, CoupledColumns<Band>{group, x, factor});
      device_.run(bins, Marginalise{group, x, factor,
                                    direction > 0 ? group.left : group.right, again});
    };
    marginalise(group.factor, +1, false);
    marginalise(group.factor, -1, false);
    // Both have to be known before either is replaced: the second sweep is from the left
    // with what was left of the left, and from the right alike.
    for (const int direction : {+1, -1}) {
      device_.run(bins * (Band + 1),
                  Reduce{group, direction > 0 ? group.left : group.right, nullptr});
      device_.run(problems, Factorise<Band>{group, group.reduced, group.factor2});
      marginalise(group.factor2, direction, true);
    }
    device_.run(bins * (Band + 1), Reduce{group, group.left, group.right});

    device_.begin(SPECEX_STAGE_FLUX);
    device_.clear(group.flux, static_cast<size_t>(bins) * sizeof(double));
    const int64_t half = int64_t{group.nwindow} * ((group.nfiber + 1) / 2);
    for (int sweep = 0; sweep < flux_sweeps; ++sweep)
      for (const int parity : {0, 1}) {
        device_.run(half * group.nbin, NeighboursLight{group, parity, half});
        device_.run(half, SolveFibers<Band>{group, parity, sweep + 1 == flux_sweeps});
      }

    device_.begin(SPECEX_STAGE_ROOT);
    const int64_t cores = int64_t{group.nwindow} * group.ncore_fiber;
    device_.run(cores, ChooseRoots<Band>{group, tables_.roots()});
    device_.run(cores, TakeRoots<Band>{group, tables_.roots()});
    device_.run(bins, CheckSolution{group});
  }

  Device &device_;
  Buffers<Device> &buffers_;
  const Run &run_;
  const specex_image &image_;
  const PsfOnDevice<Device> &tables_;
  std::optional<Error> refusal_;  // of memory, the last
};

}  // namespace specex::gpu
