#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The example for Dask makes the frames that the command line makes, though a worker is
# killed, names the one that fails, and when it is repeated makes what is missing.
#
#   test_python_dask.sh PYTHON LIBRARY SOURCE_DIR PROGRAM
set -euo pipefail

python=$1 source=$3 program=$4
[ -x "$python" ] || { echo "no Python with NumPy was found"; exit 77; }
"$python" -c "import distributed" 2>/dev/null ||
  { echo "skipped: there is no Dask with distributed (python3-distributed)"; exit 77; }
examples=$source/bindings/python/examples
export LIBSPECEX_LIBRARY=$2 PYTHONPATH=$source/bindings/python:$examples
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

range=6480,6620,0.8
"$program" make-psf --camera r --nspec 5 -o psf.fits
{
  echo input,psf,output,wavelength
  for i in 1 2; do
    "$program" simulate -p psf.fits -o image$i.fits -w $range --seed $i
    "$program" extract -i image$i.fits -p psf.fits -o expected$i.fits -w $range \
      --loglevel error
    for frame in {1..15}; do echo "image$i.fits,psf.fits,f$i-$frame.fits,\"$range\""; done
  done
  echo "nowhere.fits,psf.fits,missing.fits,"
} >list.csv

datasums() { grep -ao "DATASUM = '[0-9]*" "$1"; }
"$python" "$source/tests/bindings/python/dask_worker_killed.py" list.csv
for i in 1 2; do
  for frame in f$i-*.fits; do
    diff <(datasums "$frame") <(datasums expected$i.fits)
  done
done

# As a program: only what is missing, and a status that says that one failed.
rm f1-1.fits
status=0
"$python" "$examples/exposure_dask.py" list.csv >out.log || status=$?
[ $status -eq 10 ]
[ "$(wc -l <out.log)" -eq 2 ]
grep -qx "f1-1.fits is written" out.log
grep -q "^missing.fits failed: .*nowhere.fits" out.log
diff <(datasums f1-1.fits) <(datasums expected1.fits)
