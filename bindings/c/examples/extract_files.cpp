// SPDX-License-Identifier: BSD-3-Clause
//
// As extract_files.c, in C++11: errors are exceptions, and what was opened or allocated
// is given back at the end of its scope.
//
//   extract_files PSF PREPROC FRAME WAVEMIN WAVEMAX WAVESTEP FIRST_FIBER NSPEC
#include <specex/fits.h>

#include <cstdint>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace {

void check(specex_status status, const specex_context *context = nullptr) {
  if (status == SPECEX_OK || status == SPECEX_PARTIAL) return;
  throw std::runtime_error(std::string(specex_status_name(status)) + ": " +
                           specex_last_error(context));
}

struct Deleter {
  void operator()(specex_context *context) const { specex_destroy(context); }
  void operator()(specex_fits_file *file) const { specex_fits_free(file); }
};
using Context = std::unique_ptr<specex_context, Deleter>;
using File = std::unique_ptr<specex_fits_file, Deleter>;

// A struct of the library's that knows its size and is zero otherwise.
template <class Struct>
Struct make() {
  Struct made = Struct();
  made.struct_size = sizeof(Struct);
  return made;
}

Context make_context() {
  specex_context *context = nullptr;
  check(specex_create(nullptr, &context));
  return Context(context);
}

File read_psf(const Context &context, const char *path) {
  specex_fits_file *file = nullptr;
  check(specex_fits_read_psf(context.get(), path, &file), context.get());
  return File(file);
}

File read_image(const Context &context, const char *path) {
  specex_fits_file *file = nullptr;
  check(specex_fits_read_image(context.get(), path, SPECEX_BADMASK_DEFAULT, &file),
        context.get());
  return File(file);
}

// The arrays of a frame, and the frame that borrows them.
class Frame {
 public:
  Frame(int32_t first_fiber, int32_t nspec, int64_t nwave, int32_t ndiag)
      : frame_(make<specex_frame>()) {
    const std::size_t nbin = static_cast<std::size_t>(nspec * nwave);
    frame_.first_fiber = first_fiber;
    frame_.nspec = nspec;
    frame_.nwave = nwave;
    frame_.ndiag = ndiag;
    frame_.wavelength = allocate(static_cast<std::size_t>(nwave));
    frame_.flux = allocate(nbin);
    frame_.ivar = allocate(nbin);
    frame_.resolution = allocate(nbin * static_cast<std::size_t>(ndiag));
    frame_.chi2pix = allocate(nbin);
    frame_.pixmask_fraction = allocate(nbin);
    mask_.resize(nbin);
    frame_.mask = mask_.data();
  }
  specex_frame *get() { return &frame_; }

 private:
  double *allocate(std::size_t size) {
    arrays_.emplace_back(size);
    return arrays_.back().data();
  }
  specex_frame frame_;
  std::vector<std::vector<double>> arrays_;
  std::vector<int32_t> mask_;
};

void extract(char **argument) {
  const Context context = make_context();
  const File psf_file = read_psf(context, argument[1]);
  specex_psf psf = make<specex_psf>();
  check(specex_fits_get_psf(psf_file.get(), &psf));
  check(specex_set_psf(context.get(), &psf), context.get());
  specex_psf_info info = make<specex_psf_info>();
  check(specex_get_psf_info(context.get(), &info), context.get());

  const File image_file = read_image(context, argument[2]);
  specex_image image = make<specex_image>();
  check(specex_fits_get_image(image_file.get(), &image));

  specex_grid grid = make<specex_grid>();
  check(specex_grid_from_range(std::atof(argument[4]), std::atof(argument[5]),
                               std::atof(argument[6]), &grid));
  const int32_t first_fiber = std::atoi(argument[7]);
  const int32_t nspec = std::atoi(argument[8]);
  Frame frame(first_fiber, nspec, grid.nwave, info.ndiag);
  check(
      specex_extract_frame(context.get(), &image, &grid, first_fiber, nspec, frame.get()),
      context.get());

  specex_fits_output output = make<specex_fits_output>();
  output.input = image_file.get();  // its header keys and FIBERMAP are passed on
  check(specex_fits_write_frame(context.get(), argument[3], frame.get(), &output),
        context.get());
}

}  // namespace

int main(int argc, char **argv) {
  if (argc != 9) {
    std::cerr << "usage: " << argv[0]
              << " PSF PREPROC FRAME WAVEMIN WAVEMAX WAVESTEP FIRST NSPEC\n";
    return 1;
  }
  try {
    extract(argv);
  } catch (const std::exception &error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
