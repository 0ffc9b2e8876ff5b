# SPDX-License-Identifier: BSD-3-Clause
from __future__ import annotations

import signal
import threading
from collections import deque
from contextlib import contextmanager
from typing import Any, Callable, Iterator

_NUMBERS = tuple(signal.valid_signals())


@contextmanager
def deferred() -> Iterator[Callable[[], None]]:
    """Makes Python's signal handlers wait for the function that this gives, or the end.

    Python runs them in the main thread, between any two of its instructions. In a
    callback from C that may be before the first one, where no `try` hears yet of what
    they raise.
    """
    pending: deque[Any] = deque()
    handlers = {}
    if threading.current_thread() is threading.main_thread():
        for number in _NUMBERS:
            handler = signal.getsignal(number)
            if callable(handler):
                handlers[number] = handler
                signal.signal(number, lambda *arguments: pending.append(arguments))

    def handle() -> None:
        while pending:
            number, frame = pending.popleft()
            handlers[number](number, frame)

    try:
        yield handle
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        handle()
