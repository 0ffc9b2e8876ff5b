/* SPDX-License-Identifier: BSD-3-Clause
 *
 * Around a client of libspecex.a, whose main is called client: a program that uses its
 * own OpenBLAS and CFITSIO before and after. */
#include <cblas.h>
#include <fitsio.h>
#include <stdio.h>
#include <stdlib.h>

int client(int argc, char **argv);

static void use_blas(void) {
  const double a[4] = {1, 2, 3, 4}, b[4] = {5, 6, 7, 8};
  double c[4] = {0, 0, 0, 0};
  cblas_dgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, 2, 2, 2, 1.0, a, 2, b, 2, 0.0, c,
              2);
  if (c[0] == 19 && c[1] == 22 && c[2] == 43 && c[3] == 50) return;
  fputs("the program's own BLAS fails\n", stderr);
  exit(1);
}

static void use_cfitsio(void) {
  fitsfile *file = NULL;
  long size[2] = {3, 4};
  int status = 0;
  fits_create_file(&file, "mem://", &status);
  fits_create_img(file, DOUBLE_IMG, 2, size, &status);
  fits_close_file(file, &status);
  if (status == 0) return;
  fits_report_error(stderr, status);
  exit(1);
}

int main(int argc, char **argv) {
  int status;
  use_blas();
  use_cfitsio();
  status = client(argc, argv);
  use_blas();
  use_cfitsio();
  return status;
}
