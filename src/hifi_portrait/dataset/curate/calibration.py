"""The thresholds of a recogniser: from which cosine on two faces are one person."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np

from hifi_portrait.errors import DatasetError
from hifi_portrait.io.names import printable


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """Thresholds of a recogniser, made by ``python -m hifi_portrait.dataset.calibrate``.

    *Plain* is the cosine of the recogniser's vectors, *ratio* the natural logarithm of the likelihood ratio
    that is learnt on a collection.
    """

    recogniser: str
    """Name of the recogniser they are for."""
    plain_strict: float
    """Plain cosine that stands alone, with purity "strict"; what is learnt is learnt from groups above it."""
    plain_balanced: float
    """Plain cosine that stands alone, with purity "balanced"."""
    plain_guard: float
    """Plain cosine where the ratio must agree: lower than one that stands alone."""
    ratio_strict: float
    """Ratio with purity "strict"."""
    ratio_balanced: float
    """Ratio with purity "balanced"."""
    folder_plain: float
    """Plain cosine in a folder that says who is in it."""
    folder_ratio: float
    """Ratio in such a folder."""
    unnamed_ratio: float
    """Ratio, to the two faces most alike of a folder's person, of a face that nothing says the name of."""
    false_match_rate: float
    """Of pairs of two people, the fraction above ``plain_strict``, on the people it was calibrated on."""
    faces: int
    """Faces it was calibrated on. The more faces, the more false matches each has."""
    doubling: float
    """How much the ratios of a heap rise where a collection has twice as many: as much as halves the rate of
    false matches."""
    made_of: str = ""
    """The people it was calibrated on."""

    def more_for(self, faces: int) -> float:
        """Compute how much greater the ratios must be in a collection of more faces."""
        return self.doubling * max(0.0, float(np.log2(max(faces, 1) / self.faces)))

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
