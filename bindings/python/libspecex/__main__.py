# SPDX-License-Identifier: BSD-3-Clause
"""`python -m libspecex ...` is the program `specex ...`, where that is installed."""

import os
import shutil
import sys

program = shutil.which("specex")
if program is None:
    sys.exit("python -m libspecex: the program specex is not on PATH")
os.execv(program, [program, *sys.argv[1:]])
