"""A MediaPipe solution as this library runs it: built on first use, and without a word on the terminal."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from hifi_portrait.head.arrays import ByteArray


class Graph:
    """A MediaPipe solution, built on first use, once per thread and process: it may not be shared."""

    def __init__(self, build: Callable[[], Any]) -> None:
        self._build = build
        self._local = threading.local()

    def process(self, image: ByteArray) -> Any:
        """Run on a uint8 RGB picture (H, W, 3)."""
        image = np.ascontiguousarray(image)
        if getattr(self._local, "process_id", None) != os.getpid():
            with _silent_stderr():
                self._local.solution = self._build()
                self._local.process_id = os.getpid()
                return self._local.solution.process(image)
        return self._local.solution.process(image)

    def __getstate__(self) -> dict[str, Any]:
        return {"_build": self._build}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["_build"])  # type: ignore[misc]


_stderr_lock = threading.Lock()


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Keep MediaPipe's C++ start-up messages, which no setting turns off, out of the user's terminal."""
    with _stderr_lock, open(os.devnull, "w") as devnull:
        sys.stderr.flush()
        saved = os.dup(2)
        try:
            os.dup2(devnull.fileno(), 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)
