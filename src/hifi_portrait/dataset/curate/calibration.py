"""The thresholds of a recogniser: from which cosine on two faces are one person."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

from hifi_portrait.errors import DatasetError
from hifi_portrait.io.names import printable


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
    def of(cls, recogniser: str) -> Self:
        """Read the package's calibration of a recogniser.

        Raises
        ------
        DatasetError
            There is none.
        """
        place = Path(__file__).with_name("calibrations") / f"{recogniser}.json"
        if not place.exists():
            raise DatasetError(
                f"there is no calibration of the recogniser {recogniser!r}: make one by `python -m"
                " hifi_portrait.dataset.calibrate`, and give it as --calibration FILE"
            )
        return cls.load(place)

    @classmethod
    def load(cls, file: Path) -> Self:
        """Read a file that `save` wrote.

        Raises
        ------
        DatasetError
            It is missing or damaged.
        """
        try:
            return cls(**json.loads(file.read_text()))
        except (OSError, ValueError, TypeError) as error:
            raise DatasetError(f"{printable(file)} is no calibration: {error}") from error

    def save(self, file: Path) -> None:
        """Write it as JSON."""
        file.write_text(json.dumps(asdict(self), indent=2) + "\n")
