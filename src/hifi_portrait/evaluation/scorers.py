"""What measures a picture: a recogniser, an expression and head-pose reader, and a feature network.

None of them is part of the pipeline, so that it is not judged by what it is conditioned on. Their weights
come in a folder given by the user; a scorer whose file is not there is left out, and the report says why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from hifi_portrait.evaluation.mobilenet import MobileNetV2Features
from hifi_portrait.head import HeadPose

DETECTOR_FILE = "face_detection_yunet_2023mar.onnx"
RECOGNISER_FILE = "face_recognition_sface_2021dec.onnx"
LANDMARKER_FILE = "face_landmarker.task"
FEATURES_FILE = "mobilenet_v2_imagenet.pth"

FACE_CONFIDENCE = 0.7
# Landmarks.
_INNER_LIPS = (13, 14)
_EYE_CORNERS = (33, 263)
# MediaPipe's head axes are x right, y up, z towards the viewer; ours are x right, y away, z up.
_FROM_MEDIAPIPE = np.array([[1.0, 0, 0], [0, 0, -1], [0, 1, 0]])


@dataclass(frozen=True)
class Reading:
    """What the scorers say of one picture; None where a scorer is absent or saw no face."""

    embedding: np.ndarray | None = None
    face_score: float | None = None
    pose: np.ndarray | None = None
    smile: float | None = None
    mouth_opening: float | None = None
    features: np.ndarray | None = None


class SFaceRecogniser:
    """YuNet finds the face, SFace describes it (OpenCV Zoo, Apache-2.0)."""

    def __init__(self, folder: Path) -> None:
        self._detector = cv2.FaceDetectorYN.create(
            str(folder / DETECTOR_FILE), "", (320, 320), score_threshold=FACE_CONFIDENCE
        )
        self._recogniser = cv2.FaceRecognizerSF.create(str(folder / RECOGNISER_FILE), "")

    def read(self, image: np.ndarray) -> dict[str, Any]:
        """Embedding (128,) and detector score of the largest face; empty if there is none."""
        picture = np.ascontiguousarray(image[..., ::-1])
        self._detector.setInputSize((picture.shape[1], picture.shape[0]))
        _, faces = self._detector.detect(picture)
        if faces is None or not len(faces):
            return {}
        face = faces[np.argmax(faces[:, 2] * faces[:, 3])]
        embedding = self._recogniser.feature(self._recogniser.alignCrop(picture, face))
        return {"embedding": embedding[0].astype(np.float64), "face_score": float(face[-1])}


class FaceLandmarkerReader:
    """MediaPipe's face landmarker: 52 blendshape scores and the head's transform (Apache-2.0)."""

    def __init__(self, folder: Path) -> None:
        from mediapipe.tasks.python import BaseOptions, vision

        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(folder / LANDMARKER_FILE)),
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
            num_faces=1,
        )
        self._landmarker = vision.FaceLandmarker.create_from_options(options)

    def read(self, image: np.ndarray) -> dict[str, Any]:
        """Pose (yaw, pitch, roll) in degrees, smile in [0, 1] and mouth opening; empty if no face is found.

        The opening is the gap between the inner lips as a share of the distance between the outer corners of
        the eyes. MediaPipe's own ``jawOpen`` score stays near zero for an open mouth that smiles.
        """
        import mediapipe

        picture = mediapipe.Image(mediapipe.ImageFormat.SRGB, np.ascontiguousarray(image))
        result = self._landmarker.detect(picture)
        if not result.face_blendshapes:
            return {}
        scores = {shape.category_name: shape.score for shape in result.face_blendshapes[0]}
        rotation = np.asarray(result.facial_transformation_matrixes[0])[:3, :3]
        pose = HeadPose.from_matrix(_FROM_MEDIAPIPE @ rotation @ _FROM_MEDIAPIPE.T)
        return {
            "pose": np.array([pose.yaw, pose.pitch, pose.roll]),
            "smile": (scores["mouthSmileLeft"] + scores["mouthSmileRight"]) / 2,
            "mouth_opening": _mouth_opening(result.face_landmarks[0], image.shape),
        }


def _mouth_opening(landmarks: Sequence[Any], shape: tuple[int, ...]) -> float:
    height, width = shape[:2]
    points = np.array([(point.x * width, point.y * height) for point in landmarks])
    gap, eyes = (np.linalg.norm(points[a] - points[b]) for a, b in (_INNER_LIPS, _EYE_CORNERS))
    return float(gap / eyes)


class FeatureReader:
    """MobileNetV2's averaged features, trained on ImageNet (BSD)."""

    def __init__(self, folder: Path) -> None:
        self._network = MobileNetV2Features.load(folder / FEATURES_FILE)

    def read(self, image: np.ndarray) -> dict[str, Any]:
        """Features (1280,)."""
        return {"features": self._network.describe(image).astype(np.float64)}


_SCORERS: tuple[tuple[Callable[[Path], Any], tuple[str, ...]], ...] = (
    (SFaceRecogniser, (DETECTOR_FILE, RECOGNISER_FILE)),
    (FaceLandmarkerReader, (LANDMARKER_FILE,)),
    (FeatureReader, (FEATURES_FILE,)),
)


@dataclass
class ScorerSet:
    """The scorers whose weights were found, and why the others were not used."""

    readers: list[Any] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    @classmethod
    def load(cls, folder: Path | None) -> ScorerSet:
        """Every scorer whose files are in `folder`; none of them for None."""
        scorers = cls()
        for scorer, files in _SCORERS:
            name = getattr(scorer, "__name__", str(scorer))
            missing = files if folder is None else [f for f in files if not (folder / f).is_file()]
            if missing:
                place = "no folder of scoring weights was given" if folder is None else f"{folder} lacks it"
                scorers.skipped.append(f"{name} needs {', '.join(missing)}: {place}")
            else:
                assert folder is not None
                scorers.readers.append(scorer(folder))
        return scorers

    def read(self, image: np.ndarray) -> Reading:
        """What every scorer present says of a uint8 RGB picture."""
        values: dict[str, Any] = {}
        for reader in self.readers:
            values |= reader.read(image)
        return Reading(**values)
