#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The manual page has every option of the program, and no other; the user guide has every
# status and exit code.
#
#   test_manual.sh PROGRAM SOURCE_DIR
set -euo pipefail

program=$1 source=$2
failed=0
complain() { echo "$1"; failed=1; }

options=$(for command in extract exposure simulate make-psf compare info demo bench; do
            "$program" "$command" --help | grep -oE '^ +(-[a-z],)?(--[a-z0-9-]+,?)+'
          done | grep -oE -- '--[a-z0-9-]+' | sort -u)
[ "$(wc -l <<<"$options")" -gt 30 ] || complain "no options found in the help"
manual=$(sed 's/\\-/-/g' "$source/docs/specex.1" | grep -oE -- '--[a-z0-9-]+' | sort -u)
for option in $options; do
  grep -qx -- "$option" <<<"$manual" || complain "docs/specex.1 lacks $option"
done
for option in $manual; do  # --group is specex-mpi's
  [[ $option = --version || $option = --group ]] || grep -qx -- "$option" <<<"$options" ||
    complain "docs/specex.1 has $option, which is no option"
done

while read -r name number; do
  grep -q "^| SPECEX_$name | $number |" "$source/docs/user-guide.md" ||
    complain "docs/user-guide.md lacks SPECEX_$name, $number"
done < <(sed -nE 's/^  SPECEX_((OK|PARTIAL|ERROR_[A-Z_]+|CANCELLED)) = ([0-9]+).*/\1 \3/p' \
           "$source/include/specex/specex.h")
for code in 0 1 10 20 21 70 75; do
  grep -q "^| $code |" "$source/docs/user-guide.md" ||
    complain "docs/user-guide.md lacks the exit code $code"
  grep -qx "\.B $code" "$source/docs/specex.1" ||
    complain "docs/specex.1 lacks the exit code $code"
done
exit $failed
