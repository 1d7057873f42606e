"""One call at a time over the same parts.

While a call draws, its parts hold what belongs to it: HiFi-Net its condition, the UNet's attention processors
the faces, the scheduler its place in the schedule; diffusers changes the autoencoder's precision meanwhile,
and tokenizers their settings. A second call over any of them would draw from the first one's. A pipeline made
of another's `components` has the same parts.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from hifi_portrait.errors import PipelineBusyError

# By `id`, for the whole process: pipelines know nothing of each other but may have parts in common.
_in_use: set[int] = set()
_lock = threading.Lock()


@contextmanager
def exclusive_use(components: Mapping[str, Any]) -> Iterator[None]:
    """Keep other calls from a pipeline's parts within this context.

    Parameters
    ----------
    components
        Parts by name; None for one that is missing.

    Raises
    ------
    PipelineBusyError
        If a call under way uses one of them.
    """
    parts = {name: part for name, part in components.items() if part is not None}
    held: set[int] = set()
    with _lock:
        busy = [name for name, part in parts.items() if id(part) in _in_use]
        if busy:
            raise PipelineBusyError(
                f"another call is drawing with parts of this pipeline ({', '.join(busy)}), and a part serves "
                "one call at a time. Wait for that call, with a lock around both, or give each thread a "
                "pipeline of its own: `copy.deepcopy(pipe)`, or `from_pretrained` once more. A pipeline made "
                "of `pipe.components` shares the parts and does not help"
            )
    try:
        with _lock:
            held = {id(part) for part in parts.values()}
            _in_use.update(held)
        yield
    finally:
        with _lock:
            _in_use.difference_update(held)
