#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
#
# The scripts of docs/batch.md, with the variables that Slurm sets and an srun that only
# runs the command.
guide=$(realpath "$(dirname "$0")/../../docs/batch.md")
. "$(dirname "$0")/support.sh"
make_images 1
{
  echo input,psf,output,wavelength
  for i in {1..5}; do echo "image1.fits,psf.fits,f$i.fits,\"6500,6540,0.8\""; done
} >night.csv

# The scripts are the blocks that begin with a line #!/bin/bash.
awk '/^```/ { block = 0 }
     /^#!\/bin\/bash/ { block = 1; ++n }
     block { print > "job" n ".sh" }' "$guide"
expect "two scripts" test "$(echo job*.sh)" = "job1.sh job2.sh"

mkdir bin
cat >bin/srun <<'SRUN'
#!/bin/bash
while [[ $1 == --* ]]; do shift; done
echo "$*" >>srun.log
exec "$@"
SRUN
cat >bin/scontrol <<'SCONTROL'
#!/bin/bash
echo "$*" >>scontrol.log
SCONTROL
# specex-mpi may not have been built, and one process of it is specex exposure.
cat >bin/specex-mpi <<SPECEX
#!/bin/bash
[ -z "\${EXIT_STATUS:-}" ] || exit \$EXIT_STATUS
exec "$specex" exposure "\$@"
SPECEX
ln -s "$specex" bin/specex
chmod +x bin/*
export PATH=$PWD/bin:$PATH SLURM_CPUS_PER_TASK=2 SLURM_JOB_ID=17

# The array: every frame is in one part, and only in one.
for job in 0 1 2; do
  SLURM_ARRAY_TASK_COUNT=3 SLURM_ARRAY_TASK_ID=$job \
    expect_exit 0 "array $job" bash job2.sh
  expect "report of $job" test -s part-$job.json
done
expect "the parts are the list" \
  diff <(tail -qn +2 part-?.csv | sort) <(tail -n +2 night.csv | sort)
expect "all frames are there" test "$(echo f?.fits)" = "$(echo f{1..5}.fits)"

# One job: it finds what the array has made.
rm f3.fits
expect_exit 0 "job" bash job1.sh
mv night-17.json report.json
expect_reported "job" good 1 verified 4
expect "nothing is queued again" test ! -e scontrol.log
EXIT_STATUS=20 expect_exit 20 "bad data" bash job1.sh
expect "bad data are not tried again" test ! -e scontrol.log
EXIT_STATUS=75 expect_exit 75 "a full disk" bash job1.sh
expect "a full disk is tried again" grep -qx "requeue 17" scontrol.log
rm scontrol.log
SLURM_RESTART_COUNT=3 EXIT_STATUS=75 expect_exit 75 "a full disk still" bash job1.sh
expect "but not for ever" test ! -e scontrol.log
finish
