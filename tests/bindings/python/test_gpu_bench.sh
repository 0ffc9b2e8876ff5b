#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# bench/gpu goes through all of its steps with the emulated GPU, tells wrong results from
# right ones, and says so where there is no GPU.
#
#   test_gpu_bench.sh PYTHON EMULATED_LIBRARY SOURCE_DIR PROGRAM
set -euo pipefail

python=$1 library=$2 source=$3 program=$4
[ -x "$python" ] || { echo "no Python with NumPy was found"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

"$python" "$source/bench/gpu" --library "$library" --specex "$program" --fibers 10 \
  -w 6500,6700,0.8 --bins 100 --turns 1 --frames 3 --contexts 1,2 --cpu-turns 1 --runs 2 \
  --json gpu.json
"$python" - <<'PYTHON'
import json
import math

figures = json.load(open("gpu.json"))
assert figures["wrong"] == [] and figures["hardware"]["name"] == "emulated"
assert figures["fibers_bins_nx_ny"][:2] == [10, 100]
for mode in ("none", "gpu_specter"):
    check = figures[f"check, compat {mode}"]
    assert check["passed"] and check["results"] == 1, check
    assert 0 < check["windows"] == check["windows_on_gpu"], check
    for memory in ("cuda, compat {}, pinned", "cuda, compat {}, pageable"):
        timed = figures[f"frame, {memory.format(mode)} memory"]
        assert 0 < sum(timed["stages_s"].values()) and 0 < timed["least_s"]
for backend in ("cuda", "cpu"):
    for contexts in (1, 2):
        many = figures[f"many frames, {backend}, {contexts} in flight"]
        assert many["contexts"] == contexts and many["frames_per_s"] > 0
assert figures["device memory"]["frame_bytes"] > 1e6
ceilings = figures["ceilings"]
assert set(ceilings["stages"]) == {
    "spots", "blocks", "gather", "elimination", "flux", "root", "model", "finish"}
for part in (*ceilings["stages"].values(), ceilings["device"], ceilings["frame"]):
    assert part["least_s"] > 0 and math.isfinite(part["ratio"]), part
assert ceilings["upload"]["bytes"] == 2 * 4 * math.prod(figures["fibers_bins_nx_ny"][2:])
PYTHON

export LIBSPECEX_LIBRARY=$library PYTHONPATH=$source/bench:$source/bindings/python
"$python" - <<'PYTHON'
import copy

import numpy as np
from gpu_steps import difference, digest, within_limits
from libspecex import Frame

shape = (2, 30)
right = Frame(
    np.arange(30.0), np.ones(shape), np.full(shape, 4.0), np.zeros(shape, "i4"),
    np.ones((2, 11, 30)), np.ones(shape), np.ones(shape), np.ones((5, 5)))
assert within_limits(difference(right, right))
for name, value in (
    ("flux", 1 + 1e-6), ("flux", np.nan), ("ivar", 4 + 1e-7),
    ("resolution_data", 1 + 2e-8), ("mask", 1),
):
    wrong = copy.deepcopy(right)
    getattr(wrong, name)[1, 3] = value
    assert not within_limits(difference(wrong, right)), name
    assert digest(wrong) != digest(right), name
PYTHON

code=0
CUDA_VISIBLE_DEVICES='' "$python" "$source/bench/gpu" >no-gpu 2>&1 || code=$?
[ $code = 77 ] || { echo "without a GPU it returned $code"; cat no-gpu; exit 1; }
[ "$(wc -l <no-gpu)" = 1 ] && grep -q "^There is no GPU to measure here: .*\.$" no-gpu
