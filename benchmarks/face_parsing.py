"""How well face parsing finds hair and skin: `python benchmarks/face_parsing.py --photos DIR --masks DIR`.

PHOTOS has a folder for each person with a photo `neutral.jpg`; MASKS has `<person>.png` for those who are
measured: the labels of each pixel of the portrait crop, as 8-bit numbers of `FaceLabel`, where 1 stands for
all skin (of face, ears, neck, with brows, eyes and lips), and 255 for what is not measured. Intersection over
union is that of hair, and that of skin; a person without hair in the mask counts for skin alone.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from hifi_portrait.faces import FaceLabel, NetworkParsing, analyse

NOT_MEASURED = 255
SKIN = [
    FaceLabel.SKIN,
    FaceLabel.EARS,
    FaceLabel.NECK,
    FaceLabel.BEARD,
    FaceLabel.EYES,
    FaceLabel.MOUTH,
]
"""Labels that count as the masks' skin."""


def overlap(found: np.ndarray, true: np.ndarray, measured: np.ndarray) -> float:
    """Intersection over union of two masks, NaN where there is nothing."""
    either = ((found | true) & measured).sum()
    return float((found & true & measured).sum() / either) if (true & measured).any() else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--masks", type=Path, required=True)
    parser.add_argument("--weights", type=Path, help="other weights than the package's")
    options = parser.parse_args()
    torch.set_num_threads(1)
    parse, rows, seconds = NetworkParsing(options.weights), [], []
    for mask in sorted(options.masks.glob("*.png")):
        face = analyse(options.photos / mask.stem / "neutral.jpg")
        started = time.process_time()
        labels = parse(face.crop, face.matte, face.crop_landmarks)
        seconds.append(time.process_time() - started)
        true = cv2.imread(str(mask), cv2.IMREAD_GRAYSCALE)
        found = cv2.resize(labels, true.shape[::-1], interpolation=cv2.INTER_NEAREST)
        measured = true != NOT_MEASURED
        hair = overlap(found == FaceLabel.HAIR, true == FaceLabel.HAIR, measured)
        skin = overlap(np.isin(found, SKIN), true == FaceLabel.SKIN, measured)
        rows.append((hair, skin))
        print(f"| {mask.stem} | {hair:.3f} | {skin:.3f} |", flush=True)
    hair, skin = np.nanmean(rows, axis=0)
    print(f"| mean of {len(rows)} | {hair:.3f} | {skin:.3f} |")
    print(f"{1000 * np.median(seconds):.0f} ms of CPU a photo")


if __name__ == "__main__":
    main()
