"""What measures a picture: two recognisers, a reader of pose, expression and gaze, and a feature network.

None of them is part of the pipeline, so that it is not judged by what it is conditioned on. Their weights
come in a folder given by the user; a scorer whose file is not there is left out, and the report says why.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hifi_portrait.evaluation.scorers.landmarker import LANDMARKER_FILE, FaceLandmarkerReader
from hifi_portrait.evaluation.scorers.mobilenet import MobileNetV2Features
from hifi_portrait.evaluation.scorers.recognisers import (
    DETECTOR_FILE,
    FACERES_FILES,
    SFACE_FILE,
    FaceResRecogniser,
    SFaceRecogniser,
)
from hifi_portrait.head.arrays import Array, ByteArray

FEATURES_FILE = "mobilenet_v2_imagenet.pth"


@dataclass(frozen=True)
class Reading:
    """What was read of one picture; None or empty where a scorer is absent or found no face."""

    embeddings: Mapping[str, Array] = field(default_factory=dict)
    """By the recogniser's name, (D,) each."""
    face_score: float | None = None
    """The face detector's confidence."""
    signs: Mapping[str, Array] = field(default_factory=dict)
    """Of each quantity of head pose, expression and gaze, (F,); a calibration makes a number of them."""
    features: Array | None = None
    """Of the whole picture, (1280,)."""


class FeatureReader:
    """MobileNetV2's averaged features, trained on ImageNet (BSD)."""

    def __init__(self, folder: Path) -> None:
        self._network = MobileNetV2Features.load(folder / FEATURES_FILE)

    def read(self, image: ByteArray) -> dict[str, Any]:
        """Give the features (1280,) of a uint8 RGB picture (H, W, 3)."""
        return {"features": self._network.describe(image).astype(np.float64)}


@dataclass(frozen=True)
class _Scorer:
    """How a scorer is made, the files it needs, and where they come from."""

    make: Callable[[Path], Any]
    name: str
    files: tuple[str, ...]
    source: str


_SCORERS = (
    _Scorer(SFaceRecogniser, "SFace", (DETECTOR_FILE, SFACE_FILE), "OpenCV Zoo"),
    _Scorer(
        FaceResRecogniser,
        "HSE-FaceRes",
        (DETECTOR_FILE, *FACERES_FILES),
        "OpenCV Zoo for the detector, and models/ of the npm package @vladmandic/human 3.3.6",
    ),
    _Scorer(
        FaceLandmarkerReader, "MediaPipe's face landmarker", (LANDMARKER_FILE,), "MediaPipe's model page"
    ),
    _Scorer(FeatureReader, "MobileNetV2", (FEATURES_FILE,), "torchvision's mobilenet_v2 weights"),
)


@dataclass
class ScorerSet:
    """The scorers whose weights were found, and why the others were not used."""

    readers: list[Any] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, folder: Path | None) -> ScorerSet:
        """Load every scorer whose files are in `folder`; none of them for None."""
        scorers = cls()
        for scorer in _SCORERS:
            missing = [f for f in scorer.files if folder is None or not (folder / f).is_file()]
            if folder is None or missing:
                place = "no folder of scoring weights was given" if folder is None else f"{folder} lacks it"
                scorers.skipped.append(
                    f"{scorer.name} needs {', '.join(missing)} (from {scorer.source}): {place}"
                )
            else:
                scorers.readers.append(scorer.make(folder))
        return scorers

    def without_recognisers(self) -> ScorerSet:
        """Leave out the recognisers, for photos of people who are not to be recognised."""
        recognisers = (SFaceRecogniser, FaceResRecogniser)
        return ScorerSet([r for r in self.readers if not isinstance(r, recognisers)], self.skipped)

    def read(self, image: ByteArray) -> Reading:
        """Read a uint8 RGB picture with every scorer present."""
        values: dict[str, Any] = {"embeddings": {}}
        for reader in self.readers:
            read = reader.read(image)
            values["embeddings"] |= read.pop("embeddings", {})
            values |= read
        return Reading(**values)
