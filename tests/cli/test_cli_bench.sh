#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The benchmark measures what it says, and accounts for all of the time.
. "$(dirname "$0")/support.sh"

# expect_json WHAT FILE EXPRESSION: python agrees, of the file's contents j.
expect_json() {
  expect "$1" python3 -c "
import json, math, sys
j = json.load(open('$2'))
e = j.get('extraction')
def numbers(x):
    if isinstance(x, (dict, list)):
        for y in x.values() if isinstance(x, dict) else x:
            yield from numbers(y)
    elif not isinstance(x, str):
        yield x
sys.exit(not ($3))"
}

expect_exit 0 "made up" "$specex" bench --fibers 10 --bins 120 --threads 1 --repeat 3 \
  --json made-up.json
for stage in frame pixels spots blocks gather elimination flux root model finish fallback all; do
  expect "the table has $stage" grep -qE "^$stage  *[0-9]" out.log
done
expect "the table names the processor's peak" grep -q "one core: .*Gflop/s.*GB/s" out.log
expect "nothing else is said" test ! -s err.log
expect_json "every figure is finite and no less than 0" made-up.json \
  "all(math.isfinite(x) and x >= 0 for x in numbers(j))"
expect_json "the problem is the one asked for" made-up.json \
  "e['fibers'] == 10 and e['bins'] == 120 and e['threads'] == 1
   and e['repeats'] == 3"
expect_json "stages add up to the fastest extraction" made-up.json \
  "0.9 * e['seconds'] <= e['all_stages']['seconds'] <= e['seconds']"
expect_json "and to their sum" made-up.json \
  "abs(sum(s['seconds'] for s in e['stages'].values()) /
       e['all_stages']['seconds'] - 1) < 1e-9"
expect_json "the machine is described" made-up.json \
  "j['peak_flops_per_s'] > 1e8 and j['peak_bytes_per_s'] > 1e8 and j['processor']
   and j['version'] and 'backend cpu' in j['runs_on'] and len(j['date']) == 10"
expect_json "what is counted is positive" made-up.json \
  "all(s['flops'] > 0 and s['bytes'] > 0 and s['share_of_peak_flops'] > 0
       for name, s in j['extraction']['stages'].items()
       if name in ('spots', 'blocks', 'elimination', 'flux', 'root', 'model'))"
expect_json "every patch is accounted for" made-up.json \
  "sum(e['paths'].values()) == e['patches'] and
   e['patches_failed'] == 0"

make_inputs
files=(-i image.fits -p psf.fits -w 6500,6560,0.8)
expect_exit 0 "from files" "$specex" bench "${files[@]}" -s 1 -n 3 --repeat 1 --threads 2 \
  --compat gpu_specter --nwavestep 20 --nsubbundles 5 --json files.json
expect_json "from files" files.json \
  "e['fibers'] == 3 and e['bins'] == 76 and e['threads'] == 2"
expect_json "threads' times add up to no more than there is" files.json \
  "e['all_stages']['seconds'] <= 2 * e['seconds']"

expect_exit 0 "scaling" "$specex" bench --scaling --fibers 25 --bins 1000 --repeat 1 \
  --threads 2 --json scaling.json
expect_json "scaling has every series" scaling.json \
  "{'fibers': 1, 'bins': 2, 'spot': 5, 'spacing': 5, 'threads': 2} ==
   {s: sum(p['series'] == s for p in j['scaling'])
    for s in ('fibers', 'bins', 'spot', 'spacing', 'threads')}"
expect_json "close traces are nothing for the vector path, wide ones are" scaling.json \
  "all((p['patches_vector'] > 0) == (p['spacing'] > 7)
       for p in j['scaling'] if p['series'] == 'spacing')"
expect_json "scaling is measured" scaling.json \
  "all(p['seconds'] > 0 and p['ns_per_fiber_bin'] > 0 for p in j['scaling'])"

while read -r pattern wrong; do
  read -ra options <<<"$wrong"
  expect_exit 21 "$wrong" "$specex" bench "${options[@]}"
  expect_sentence "$wrong" "$pattern"
done <<'WRONG'
psf -i image.fits
input -p psf.fits
wavelength -w 6500,6560,0.8
excludes -i image.fits -p psf.fits --fibers 5
excludes --scaling --hsizex 4
excludes --scaling --spacing 5
range --spacing 1
range --fibers 0
range --bins 0
range --repeat 0
range --hsizey 0
nonsense --compat nonsense
nwavestep --nwavestep -1 --fibers 1 --bins 20
nspec|fibre -i image.fits -p psf.fits -w 6500,6560,0.8 -n 9
absent -i absent.fits -p psf.fits
WRONG
finish
