#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# SIGKILL at random moments leaves whole files, and the next run makes what is missing, no
# frame twice. SIGTERM and SIGINT end it in two seconds with nothing half.
#
# SPECEX_TEST_KILLS says how many moments; SPECEX_TEST_SEED repeats those of a failure.
. "$(dirname "$0")/support.sh"
make_images 2
RANDOM=${SPECEX_TEST_SEED:=$$}
echo "SPECEX_TEST_SEED=$SPECEX_TEST_SEED"

{
  echo input,psf,output,model
  for i in 1 2; do
    echo "image$i.fits,psf.fits,a$i.fits,"
    echo "image$i.fits,psf.fits,b$i.fits.gz,"
    echo "image$i.fits,psf.fits,c$i.fits,m$i.fits"
  done
} >list.csv
run=("${exposure[@]}" list.csv "${range[@]}" --threads 2)
begin=$EPOCHREALTIME
expect_exit 0 "undisturbed" "${run[@]}"
whole=$((${EPOCHREALTIME/./} - ${begin/./}))  # microseconds
outputs=([abcm][12].fits*)
expect "undisturbed: ${#outputs[@]} files" test ${#outputs[@]} -eq 8
mkdir undisturbed
mv "${outputs[@]}" undisturbed

# Frames that are there, with their model image.
finished() {
  local i count=0
  for i in 1 2; do
    [ -e a$i.fits ] && count=$((count + 1))
    [ -e b$i.fits.gz ] && count=$((count + 1))
    [ -e c$i.fits ] && [ -e m$i.fits ] && count=$((count + 1))
  done
  echo $count
}
expect_whole() {
  local file
  for file in [abcm][12].fits*; do
    [ ! -e "$file" ] || expect_same "$1" "$file" "undisturbed/$file"
  done
}
start() {
  "$specex" exposure list.csv "${range[@]}" --threads 2 "$@" >out.log 2>err.log &
  process=$!
}

for ((kill = 1; kill <= ${SPECEX_TEST_KILLS:-10}; ++kill)); do
  rm -f [abcm][12].*
  start
  sleep "$(printf 0.%06d $((RANDOM * whole / 32768 % 1000000)))"
  kill -KILL $process 2>/dev/null
  wait $process 2>/dev/null
  expect_whole "kill $kill"
  there=$(finished)
  expect_exit 0 "resumed after kill $kill" "${run[@]}"
  expect_reported "resumed after kill $kill" verified "$there" good $((6 - there))
  expect_whole "resumed after kill $kill"
  expect "resumed after kill $kill: all is there" test "$(finished)" = 6
  expect_no_temporaries "resumed after kill $kill"
done

for signal in INT:130 TERM:143; do
  for delay in 0.00 0.05 0.25; do
    what="$signal after $delay s" actual=0
    rm -f [abcm][12].*
    start -w 6480,6560,0.1 --backend reference  # slow enough to be stopped
    for _ in {1..500}; do
      grep -q "6 frames" out.log && break
      sleep 0.01
    done
    sleep $delay
    begin=$EPOCHREALTIME
    kill -"${signal%:*}" $process
    wait $process || actual=$?
    microseconds=$((${EPOCHREALTIME/./} - ${begin/./}))
    expect "$what: exit $actual" test $actual -eq "${signal#*:}"
    expect "$what: after $microseconds us" \
      test $microseconds -lt $((2000000 * ${SPECEX_TEST_SLOWDOWN:-1}))
    for file in [abcm][12].fits*; do
      [ ! -e "$file" ] || expect "$what: $file is whole" "$specex" info "$file"
    done
    expect_no_temporaries "$what"
  done
done
finish
