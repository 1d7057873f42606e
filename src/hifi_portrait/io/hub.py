"""Whether a name can be a hub repository's, found out before anything waits for the hub."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

from huggingface_hub import constants, try_to_load_from_cache
from huggingface_hub.errors import HFValidationError
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # documented, not in __all__

from hifi_portrait.errors import ModelError

_PATIENCE = 3.0
"""Seconds within which the hub must say anything at all."""


def check_reachable(
    name: str, *, file: str = "model_index.json", cache_dir: str | Path | None = None, **hub: Any
) -> None:
    """Check that a model is in the hub's cache, or that the hub can be reached.

    Parameters
    ----------
    name
        Its id, or a path that was mistyped.
    file
        A file that every such model has.
    cache_dir, hub
        As of a download; ``local_files_only`` allows the cache alone.

    Raises
    ------
    ModelError
        If there is neither.
    """
    folder = Path(name)
    if len(folder.parts) != 2 or not _is_hub_id(name):
        raise ModelError(f"there is no folder {name}, and it is no hub id, which reads owner/name")
    if isinstance(try_to_load_from_cache(name, file, cache_dir=cache_dir), str):
        return
    if Path(folder.parts[0]).is_dir():
        raise ModelError(f"there is no folder {name}: {folder.parts[0]} has none of that name in it")
    if hub.get("local_files_only") or constants.HF_HUB_OFFLINE:
        raise ModelError(f"there is no folder {name}, nor is it in the hub's cache, and the hub is not asked")
    if not _hub_answers():
        raise ModelError(
            f"there is no folder {name}, nor is it in the hub's cache, and the hub cannot be reached"
        )


def _is_hub_id(name: str) -> bool:
    try:
        validate_repo_id(name)
    except HFValidationError:
        return False
    return True


def _hub_answers() -> bool:
    """Ask the hub for anything, and wait no longer, even for a name server, which knows no limit."""
    answered = threading.Event()

    def ask() -> None:
        try:
            with urlopen(constants.ENDPOINT, timeout=_PATIENCE):
                answered.set()
        except HTTPError:  # an answer, too
            answered.set()
        except (OSError, ValueError):
            return

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_PATIENCE)
    return answered.is_set()
