#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The module mirrors the whole of the ABI manifest: from it a Fortran program is made that
# names every function, number, struct and field, and compares what the compiler says.
#
#   test_abi.sh MANIFEST FORTRAN_COMPILER MODULE_DIR LIBRARY...
set -euo pipefail

manifest=$1 compiler=$2 modules=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

awk '
  function check(condition, what) {
    print "  if (.not. (" condition ")) call fail(\"" what "\")"
  }
  BEGIN {
    print "program abi\n  use, intrinsic :: iso_c_binding\n  use libspecex_c\n" \
          "  implicit none\n  integer :: failures = 0"
  }
  $1 == "size" { declarations = declarations "  type(" $2 "), target :: v_" $2 "\n" }
  $1 == "field" && $3 == "struct_size" { sized[$2] = 1 }
  { line[NR] = $0 }
  END {
    printf "%s", declarations
    for (i = 1; i <= NR; ++i) {
      $0 = line[i]
      name = "v_" $2 "%" $3
      if ($1 == "symbol") check("c_associated(c_funloc(c_" $2 "))", $2)
      if ($1 == "value") check($2 " == " $3, $2)
      if ($1 == "size") {
        check("c_sizeof(v_" $2 ") == " $3, "size of " $2)
        if ($2 in sized) check("v_" $2 "%struct_size == " $3, $2 "%struct_size")
      }
      if ($1 == "field") {
        check("address(c_loc(" name ")) - address(c_loc(v_" $2 ")) == " $4,
              "offset of " name)
        check("c_sizeof(" name ") == " $5, "size of " name)
        check("is_" $6 "(" name ")", "type of " name)
      }
    }
    print "  if (failures > 0) error stop 1\ncontains"
    print "  subroutine fail(what)\n    character(*), intent(in) :: what\n" \
          "    print *, what\n    failures = failures + 1\n  end subroutine"
    print "  integer(c_intptr_t) function address(pointer)\n" \
          "    type(c_ptr), intent(in) :: pointer\n" \
          "    address = transfer(pointer, address)\n  end function"
    # An argument of another type does not compile.
    split("int32_t int64_t double pointer", types)
    split("integer(c_int32_t) integer(c_int64_t) real(c_double) type(c_ptr)", declared)
    for (k = 1; k <= 4; ++k)
      print "  logical function is_" types[k] "(field)\n" \
            "    " declared[k] ", intent(in) :: field(..)\n" \
            "    is_" types[k] " = rank(field) >= 0\n  end function"
    print "end program"
  }
' "$manifest" >"$work/abi.f90"

"$compiler" -ffree-line-length-none -I"$modules" "$work/abi.f90" "$@" -o "$work/abi"
"$work/abi"
[ "$(grep -c 'if (.not' "$work/abi.f90")" -ge 500 ]  # the manifest of 0.1.0 gives as many
