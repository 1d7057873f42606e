"""MMRGaze360: who looks where in a 360-degree picture."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mmrgaze360.follower import GazeFollower, PersonGaze
    from mmrgaze360.network.model import MMRGaze360
    from mmrgaze360.panorama import Panorama

__all__ = ["GazeFollower", "MMRGaze360", "Panorama", "PersonGaze"]

_LAZY = {
    "GazeFollower": "mmrgaze360.follower",
    "MMRGaze360": "mmrgaze360.network.model",
    "Panorama": "mmrgaze360.panorama",
    "PersonGaze": "mmrgaze360.follower",
}

if not TYPE_CHECKING:  # otherwise a type checker would take every misspelt name for Any

    def __getattr__(name: str) -> Any:
        """Import a public name on first use, so that `import mmrgaze360` stays quick."""
        if name not in _LAZY:
            raise AttributeError(f"module 'mmrgaze360' has no attribute {name!r}")
        return getattr(import_module(_LAZY[name]), name)
