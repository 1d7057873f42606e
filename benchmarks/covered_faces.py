"""What photos are worth with something before the face, or blurred, dark, noisy or compressed.

    python benchmarks/covered_faces.py quality --photos DIR

``--photos`` is a folder with one folder of photos a person; the first by name is used. Limits were chosen on
every second person, from the first on; figures are of the others.
"""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from PIL import Image

from hifi_portrait.errors import HiFiPortraitError
from hifi_portrait.faces import IMAGE_SUFFIXES, FaceAnalyser, load_image
from hifi_portrait.head.arrays import ByteArray

app = typer.Typer(add_completion=False, help=__doc__)
Photos = Annotated[Path, typer.Option(help="folder with one folder of photos a person")]


@app.callback()
def main() -> None:
    """Measure covered faces and spoilt photos."""


@app.command()
def quality(photos: Photos) -> None:
    """Quality of photos that are blurred, darkened, noisy, compressed or enlarged, by kind and strength."""
    analyser = FaceAnalyser(matting=lambda image: np.zeros(image.shape[:2], np.float32))
    rows: dict[tuple[str, float], list[float]] = {}
    for files in _people(photos):
        photo = load_image(files[0])
        rows.setdefault(("clean", 0), []).append(_quality(photo, analyser))
        for kind, (spoil, strengths) in SPOILT.items():
            for strength in strengths:
                rows.setdefault((kind, strength), []).append(_quality(spoil(photo, strength), analyser))
    print(f"{'kind':>12} {'strength':>8} {'least':>6} {'median':>6} {'most':>6}  photos without a face")
    for (kind, strength), values in rows.items():
        found = [value for value in values if np.isfinite(value)]
        figures = [min(found), float(np.median(found)), max(found)] if found else 3 * [np.nan]
        print(
            f"{kind:>12} {strength:8.2f} "
            + " ".join(f"{figure:6.2f}" for figure in figures)
            + f"  {len(values) - len(found)} of {len(values)}"
        )


def _people(folder: Path) -> Iterator[list[Path]]:
    """Photos of every second person, from the second on."""
    for each in sorted(path for path in folder.iterdir() if path.is_dir())[1::2]:
        files = sorted(file for file in each.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
        if files:
            yield files


def _quality(photo: ByteArray, analyser: FaceAnalyser) -> float:
    """Quality of the largest face; NaN where none is found."""
    try:
        return analyser.analyse(photo).quality
    except HiFiPortraitError:
        return float("nan")


def _blur(photo: ByteArray, sigma: float) -> ByteArray:
    """Blur by a standard deviation in pixels of a photo 640 pixels high."""
    return np.asarray(cv2.GaussianBlur(photo, (0, 0), sigma * len(photo) / 640))


def _darken(photo: ByteArray, gain: float) -> ByteArray:
    return (photo * gain + 0.5).astype(np.uint8)


def _add_noise(photo: ByteArray, deviation: float) -> ByteArray:
    noise = np.random.default_rng(0).normal(0, deviation, photo.shape)
    return (photo + noise).clip(0, 255).astype(np.uint8)


def _compress(photo: ByteArray, jpeg_quality: float) -> ByteArray:
    stream = BytesIO()
    Image.fromarray(photo).save(stream, "JPEG", quality=int(jpeg_quality))
    return np.asarray(Image.open(stream))


def _enlarge(photo: ByteArray, times: float) -> ByteArray:
    """Shrink, and enlarge again."""
    height, width = photo.shape[:2]
    small = cv2.resize(photo, (round(width / times), round(height / times)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC))


SPOILT = {
    "blurred": (_blur, (1, 2, 3, 5)),
    "dark": (_darken, (0.5, 0.3, 0.15, 0.08)),
    "noisy": (_add_noise, (6, 12, 25, 50)),
    "compressed": (_compress, (30, 20, 10, 3)),
    "enlarged": (_enlarge, (2, 4, 8)),
}
"""How photos are spoilt, from weak to strong."""


if __name__ == "__main__":
    app()
