"""The thresholds of a recogniser: from which cosine on two faces are one person."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from hifi_portrait.errors import DatasetError


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Thresholds of a recogniser, made by ``python -m hifi_portrait.dataset.calibrate``.

    *Plain* is the cosine of the recogniser's vectors, *whitened* that of the vectors which `whiten` makes.
    """

    recogniser: str
    """Name of the recogniser they are for."""
    plain_strict: float
    """Plain cosine that stands alone, with purity "strict"; the scatter is learnt from groups above it."""
    plain_balanced: float
    """Plain cosine that stands alone, with purity "balanced"."""
    plain_beside_whitened: float
    """Plain cosine where the whitened one must agree: lower than one that stands alone."""
    whitened_strict: float
    """Whitened cosine with purity "strict"."""
    whitened_balanced: float
    """Whitened cosine with purity "balanced"."""
    folder_plain: float
    """Plain cosine in a folder that says who is in it."""
    folder_whitened: float
    """Whitened cosine in such a folder."""
    false_match_rate: float
    """Of pairs of two people, the fraction above ``plain_strict``, on the people it was calibrated on."""
    made_of: str = ""
    """The people it was calibrated on."""

    @classmethod
    def load(cls, recogniser: str, file: Path | None = None) -> Self:
        """Read the calibration of a recogniser: the package's, or that of a file.

        Raises
        ------
        DatasetError
            There is none, or the file is damaged.
        """
        place = file or Path(__file__).with_name("calibrations") / f"{recogniser}.json"
        try:
            loaded = cls(**json.loads(place.read_text()))
        except FileNotFoundError as error:
            raise DatasetError(
                f"there is no calibration of the recogniser {recogniser!r}: make one by `python -m"
                " hifi_portrait.dataset.calibrate`, and give it as --calibration FILE"
            ) from error
        except (OSError, ValueError, TypeError) as error:
            raise DatasetError(f"{place} is no calibration: {error}") from error
        if loaded.recogniser != recogniser:
            raise DatasetError(f"{place} is of the recogniser {loaded.recogniser!r}, not of {recogniser!r}")
        return loaded

    def save(self, file: Path) -> None:
        """Write it as JSON."""
        file.write_text(json.dumps(asdict(self), indent=2) + "\n")
