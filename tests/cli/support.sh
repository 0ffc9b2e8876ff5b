# SPDX-License-Identifier: BSD-3-Clause
#
# What the tests of the program have in common. A test is a script TEST.sh PROGRAM that
# sources this, makes its inputs in an empty folder of its own, and calls finish at its
# end; functions that begin with expect_ count and report what is not as it should be.
set -uo pipefail
export LC_ALL=C
unset DESI_LOGLEVEL DESI_NO_GPU SLURM_CPUS_PER_TASK

specex=$(realpath "$1")
reference_dir=${SPECEX_REFERENCE_DIR:-}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1

checks=0
failures=0

fail() {
  failures=$((failures + 1))
  echo "FAILED: $*"
}

finish() {
  echo "$checks checks, $failures failed"
  [ "$failures" -eq 0 ]
  exit
}

skip_without_reference() {
  [ -e "$reference_dir/r-single-psf.fits" ] && return
  echo "skipped: no reference cases in SPECEX_REFERENCE_DIR='$reference_dir'"
  exit 77
}

# expect WHAT COMMAND...: the command succeeds.
expect() {
  local what=$1
  shift
  checks=$((checks + 1))
  "$@" >command.log 2>&1 || { fail "$what: $*"; cat command.log; }
}

# expect_exit CODE[|CODE...] WHAT COMMAND...: runs it with its output in out.log and err.log.
expect_exit() {
  local code=$1 what=$2 actual=0
  shift 2
  checks=$((checks + 1))
  timeout 300 "$@" >out.log 2>err.log || actual=$?
  [[ "|$code|" == *"|$actual|"* ]] || { fail "$what: exit $actual, not $code"; cat err.log; }
}

# expect_sentence WHAT PATTERN: err.log is one line, of the program, that matches.
expect_sentence() {
  checks=$((checks + 1))
  if [ "$(wc -l <err.log)" -ne 1 ] || ! grep -q "^specex[a-z -]*: ..*" err.log ||
    ! grep -qiE -- "$2" err.log; then
    fail "$1: not one sentence about '$2':"
    cat err.log
  fi
}

# The data checksums of a file: equal where all arrays are.
datasums() { grep -ao "DATASUM = '[0-9]*" "$1"; }

# key FILE NAME: a value of the first header, without quotes.
key() {
  head -c 28800 "$1" | fold -w 80 | grep -am1 "^$(printf %-8s "$2")= " |
    sed -E "s/^.{10}//; s/^'([^']*)'.*/\1/; s/ \/ .*//; s/^ *//; s/ *$//"
}

# unchecked FILE COPY: a copy without checksums, which may be changed.
unchecked() { sed 's/CHECKSUM=/CHECKSIM=/g; s/DATASUM =/DATASIM =/g' "$1" >"$2"; }
# Bytes before the data of the first HDU.
data_offset() {
  local at
  at=$(head -c 28800 "$1" | fold -w 80 | grep -anm1 '^END  ' | cut -d: -f1)
  echo $(((at * 80 + 2879) / 2880 * 2880))
}
# overwrite FILE OFFSET: with the standard input.
overwrite() { dd of="$1" bs=4096 seek="$2" oflag=seek_bytes conv=notrunc status=none; }

# A PSF of 5 fibres and an image of it.
make_inputs() {
  "$specex" make-psf --camera r --nspec 5 -o psf.fits &&
    "$specex" simulate -p psf.fits -o image.fits -w 6480,6620,0.8 --seed 1 || exit 1
}
