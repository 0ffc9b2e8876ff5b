# SPDX-License-Identifier: BSD-3-Clause
#
# What the tests of `specex exposure` have in common, besides the tests of the program.
. "$(dirname "${BASH_SOURCE[0]}")/../cli/support.sh"

# Quietly, with its report in report.json.
exposure=("$specex" exposure --loglevel error --timing report.json)
# reported KEY: a number of the report.
reported() { grep -m1 -o "\"$1\": [0-9.]*" report.json | tr -dc 0-9.; }
# expect_reported WHAT KEY NUMBER...
expect_reported() {
  local what=$1
  shift
  while [ $# -gt 0 ]; do
    expect "$what: $(reported "$1") $1" test "$(reported "$1")" = "$2"
    shift 2
  done
}

# sums FILE: its data checksums, also of a compressed one.
sums() {
  case $1 in
    *.gz) gunzip -c "$1" | datasums /dev/stdin ;;
    *) datasums "$1" ;;
  esac
}
expect_same() { expect "$1: $2 is as $3" test "$(sums "$2")" = "$(sums "$3")"; }
expect_no_temporaries() { expect "$1: no temporary is left" test -z "$(find . -name '*tmp*')"; }

# A PSF of 5 fibres and images image1.fits to imageN.fits of it.
make_images() {
  "$specex" make-psf --camera r --nspec 5 -o psf.fits || exit 1
  for i in $(seq "$1"); do
    "$specex" simulate -p psf.fits -o "image$i.fits" -w 6480,6560,0.8 --seed "$i" || exit 1
  done
}
range=(-w 6500,6540,0.8)
