#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# A rank that is killed, leader or member of a group, ends the job, with whole files; the
# next run makes what is missing, no frame twice. SPECEX_TEST_KILLS says how often;
# SPECEX_TEST_SEED repeats a failure.
. "$(dirname "$0")/support.sh"
make_images 2
RANDOM=${SPECEX_TEST_SEED:=$$}
echo "SPECEX_TEST_SEED=$SPECEX_TEST_SEED"
frames=16
{
  echo input,psf,output
  for ((i = 11; i < 11 + frames; ++i)); do
    echo "image$((i % 2 + 1)).fits,psf.fits,f$i.fits"
  done
} >list.csv
run=(list.csv "${range[@]}" --threads 1 --bundlesize 2)
expect_exit 0 "undisturbed" "${exposure[@]}" "${run[@]}"
mkdir undisturbed
mv f??.fits undisturbed

expect_whole() {
  local file
  for file in f??.fits; do
    [ ! -e "$file" ] || expect_same "$1" "$file" "undisturbed/$file"
  done
}

for ((kill = 1; kill <= ${SPECEX_TEST_KILLS:-4}; ++kill)); do
  rm -f f??.fits
  rm -f ranks
  # Every rank writes down its process before it becomes specex-mpi.
  "$mpiexec" -n 3 bash -c 'echo $$ >>ranks; exec "$0" "$@"' \
    "$specex_mpi" "${run[@]}" --group $((kill % 2 + 1)) >out.log 2>err.log &
  process=$!
  for _ in {1..1000}; do
    grep -q "iotime" out.log && break
    sleep 0.01
  done
  sleep "0.$(printf %03d $((RANDOM % 300)))"
  mapfile -t ranks <ranks
  kill -KILL "${ranks[RANDOM % ${#ranks[@]}]}" 2>/dev/null
  wait $process 2>/dev/null
  expect_whole "kill $kill"
  there=$(ls f??.fits 2>/dev/null | wc -l)
  expect_exit 0 "resumed after kill $kill" "$mpiexec" -n 2 "${mpi[@]}" "${run[@]}"
  expect_reported "resumed after kill $kill" verified "$there" good $((frames - there))
  expect_whole "resumed after kill $kill"
  expect "resumed after kill $kill: all is there" test "$(ls f??.fits | wc -l)" = $frames
  expect_no_temporaries "resumed after kill $kill"
done

# A job that is told to end does so, with nothing half.
rm -f f??.fits
"$mpiexec" -n 3 "$specex_mpi" "${run[@]}" --group 2 --backend reference >out.log 2>err.log &
process=$!
sleep 1
begin=$EPOCHREALTIME
kill -TERM $process
wait $process
microseconds=$((${EPOCHREALTIME/./} - ${begin/./}))
expect "TERM: after $microseconds us" test $microseconds -lt 5000000
expect_exit 0 "resumed after TERM" "$mpiexec" -n 2 "${mpi[@]}" "${run[@]}" --backend cpu
expect "resumed after TERM: all is there" test "$(ls f??.fits | wc -l)" = $frames
expect_no_temporaries "resumed after TERM"
finish
