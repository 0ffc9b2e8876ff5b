#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# SIGINT and SIGTERM end an extraction within two seconds, with nothing left behind,
# whenever they come.
. "$(dirname "$0")/support.sh"
make_inputs

# Slow enough to be stopped: the reference backend over the whole CCD.
start() {
  "$specex" extract -i image.fits -p psf.fits -o frame.fits -m model.fits \
    --backend reference >out.log 2>err.log &
  process=$!
}

# stopped SIGNAL CODE WHAT: signals the process and checks how it ends.
stopped() {
  local signal=$1 code=$2 what=$3 before=$EPOCHREALTIME actual=0 microseconds
  kill -"$signal" $process
  wait $process || actual=$?
  microseconds=$((${EPOCHREALTIME/./} - ${before/./}))
  expect "$what: exit $actual" test $actual -eq "$code"
  expect "$what: after $microseconds us" \
    test $microseconds -lt $((2000000 * ${SPECEX_TEST_SLOWDOWN:-1}))
  expect "$what: nothing is left" test -z "$(find . -name '*frame*' -o -name '*model*')"
}

for signal in INT:130 TERM:143; do
  start
  for _ in {1..500}; do
    grep -q "backend reference" out.log && break
    sleep 0.01
  done
  sleep 0.1
  stopped "${signal%:*}" "${signal#*:}" "$signal while extracting"
  expect_sentence "$signal while extracting" "nothing was written"
done

for delay in 0.000 0.003 0.010 0.030 0.060 0.100 0.150 0.250 0.400 0.700; do
  start
  sleep $delay
  stopped TERM 143 "TERM after $delay s"
done

echo older >frame.fits
start
sleep 0.2
kill -INT $process
wait $process
expect "an older output is as it was" test "$(cat frame.fits)" = older
finish
