# SPDX-License-Identifier: BSD-3-Clause
"""The frames of a list by the example for Dask, with a worker killed on the way.

    python dask_worker_killed.py LIST
"""

import os
import signal
import sys
import time

from distributed import Client

from exposure_dask import extract_all, read_list


def pids(client):
    return set(client.run(os.getpid).values())


def kill_a_worker(client):
    """A busy one, while there is one; returns when the scheduler knows that it is gone."""
    workers = client.processing()
    worker = max(workers, key=lambda name: len(workers[name]))
    os.kill(client.run(os.getpid, workers=[worker])[worker], signal.SIGKILL)
    while worker in client.scheduler_info()["workers"]:
        time.sleep(0.05)


def main():
    rows = read_list(sys.argv[1])
    with Client(n_workers=2, threads_per_worker=1, dashboard_address=None) as client:
        before = pids(client)
        results = extract_all(client, rows)
        done = dict([next(results)])
        kill_a_worker(client)
        done.update(results)
        client.wait_for_workers(2)
        assert len(pids(client) - before) == 1, "no worker was replaced"
    failures = {name for name, failure in done.items() if failure is not None}
    assert failures == {"missing.fits"}, failures
    assert len(done) == len(rows), done


if __name__ == "__main__":
    main()
