/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Linked into a client of libspecex.a: uses the program's own OpenBLAS and CFITSIO before
 * main and after it. */
#include <cblas.h>
#include <fitsio.h>
#include <stdio.h>
#include <stdlib.h>

static void use_blas(void) {
  const double a[4] = {1, 2, 3, 4}, b[4] = {5, 6, 7, 8};
  double c[4] = {0, 0, 0, 0};
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, 2, 2, 2, 1.0, a, 2, b, 2, 0.0, c,
              2);
  if (c[0] != 19 || c[1] != 22 || c[2] != 43 || c[3] != 50) _Exit(9);
}

static void use_cfitsio(void) {
  fitsfile *file = NULL;
  long size[2] = {3, 4};
  int status = 0;
  fits_create_file(&file, "mem://", &status);
  fits_create_img(file, DOUBLE_IMG, 2, size, &status);
  fits_close_file(file, &status);
  if (status != 0) _Exit(8);
}

__attribute__((constructor)) static void before(void) {
  use_blas();
  use_cfitsio();
}

__attribute__((destructor)) static void after(void) {
  use_blas();
  use_cfitsio();
  puts("the program's own OpenBLAS and CFITSIO work");
}
