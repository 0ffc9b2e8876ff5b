# SPDX-License-Identifier: BSD-3-Clause
#
# What the tests of specex-mpi have in common. A test is a script
# TEST.sh SPECEX SPECEX_MPI MPIEXEC.
specex_mpi=$(realpath "$2")
mpiexec=$3
. "$(dirname "${BASH_SOURCE[0]}")/../exposure/support.sh"

# Open MPI: as root in containers, more ranks than cores.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
export OMPI_MCA_hwloc_base_binding_policy=none TMPDIR=/tmp

# Ranks go before the other arguments.
mpi=("$specex_mpi" --loglevel error --timing report.json)
