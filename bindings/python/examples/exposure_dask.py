# SPDX-License-Identifier: BSD-3-Clause
"""The frames of a list, extracted by the workers of Dask.

    python exposure_dask.py LIST [SCHEDULER_FILE]

LIST is CSV with a line of names: input, psf, output and perhaps wavelength. The file is
what `dask scheduler --scheduler-file` wrote; without it, every core of this machine gets
a worker. What is there already is left alone, a frame whose worker dies goes to another,
and one that fails is named and leaves the others alone; the exit status is then 10.
"""

import csv
import os
import sys

from distributed import Client, as_completed

import extract_file


def read_list(path):
    """The rows of a list whose frames are not there yet."""
    with open(path, newline="", encoding="utf-8") as file:
        return [row for row in csv.DictReader(file) if not os.path.exists(row["output"])]


def extract_all(client, rows):
    """Yields the name of each frame as it is done, and the exception if it failed."""
    client.upload_file(extract_file.__file__)  # also to workers that come later
    futures = {
        client.submit(extract_file.extract_file, **row, pure=False): row["output"]
        for row in rows
    }
    for future in as_completed(futures):
        yield futures[future], future.exception()


def main():
    rows = read_list(sys.argv[1])
    if len(sys.argv) > 2:
        client = Client(scheduler_file=sys.argv[2])
    else:
        client = Client(threads_per_worker=1, dashboard_address=None)
    failed = 0
    with client:
        for name, failure in extract_all(client, rows):
            print(name, "is written" if failure is None else f"failed: {failure}")
            failed += failure is not None
    sys.exit(10 if failed else 0)


if __name__ == "__main__":
    main()
