"""What photos are worth with something before the face, or blurred, dark, noisy or compressed.

    python benchmarks/covered_faces.py quality --photos DIR
    python benchmarks/covered_faces.py covers --photos DIR [--people 25]
    python benchmarks/covered_faces.py clean --photos DIR --labelled DIR
    python benchmarks/covered_faces.py profiles [--people 40]

``--photos`` is a folder with one folder of photos a person, of which the first two by name are used. Limits
were chosen on every second person, from the first on; figures are of the others. ``covers`` paints things
before the faces. ``--labelled`` is a folder that scripts/render_labelled_people.py made.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer
from PIL import Image

from hifi_portrait.errors import HiFiPortraitError, NoFaceError
from hifi_portrait.faces import IMAGE_SUFFIXES, Face, FaceAnalyser, default_analyser, load_image
from hifi_portrait.faces.geometry import cut_out
from hifi_portrait.faces.labels import FaceLabel
from hifi_portrait.faces.parsing_inputs import FACE_OVAL
from hifi_portrait.fitting import fit
from hifi_portrait.head import HeadPose
from hifi_portrait.head.arrays import Array, BoolArray, ByteArray, FloatArray
from hifi_portrait.head.model import HeadModel
from hifi_portrait.person.covered_faces import find_cover_masks, find_covered_faces
from hifi_portrait.person.covers import CoverSettings
from hifi_portrait.person.face_chart import FaceChart
from hifi_portrait.synthetic import Person, Photograph, PhotoSetup, photograph
from hifi_portrait.training.data.labelled_photos import LabelledPhotos
from hifi_portrait.training.data.occluders import PAINTERS, Paint

app = typer.Typer(add_completion=False, help=__doc__)
Photos = Annotated[Path, typer.Option(help="folder with one folder of photos a person")]


@app.command()
def quality(photos: Photos) -> None:
    """Quality of photos that are blurred, darkened, noisy, compressed or enlarged, by kind and strength."""
    analyser = _plain_analyser()
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


@app.command()
def covers(photos: Photos, people: Annotated[int, typer.Option(help="how many people")] = 25) -> None:
    """How often things before a face are found: beside one and two clean photos, and alone."""
    analyser, rows = default_analyser(), dict[tuple[str, str], list[list[float]]]()
    for number, files in enumerate(list(_people(photos))[:people]):
        pictures = [load_image(file) for file in files[:2]]
        clean = [analyser.analyse(picture) for picture in pictures]
        for place, kind in enumerate(KINDS):
            which = (number + place) % 2
            rng = np.random.default_rng([number, place])
            picture, alpha, share = _put_before(pictures[which], clean[which].landmarks, kind, rng)
            try:
                face = analyser.analyse(picture)
            except HiFiPortraitError:
                rows.setdefault((kind, _size(share)), []).append(4 * [np.nan])
                continue
            hidden = cut_out(np.repeat(alpha[..., None], 3, axis=2), face.crop_transform, len(face.crop))
            true = _on_head(hidden[..., 0], face)
            two, three, alone = (
                _find([face, *others])
                for others in ([clean[1 - which]], [clean[1 - which], clean[which]], [])
            )
            wrong = float(any(found.any() for found in two[1:]))
            rows.setdefault((kind, _size(share)), []).append(
                [_overlap(two[0], true), _overlap(three[0], true), _overlap(alone[0], true), wrong]
            )
    print("share of the thing that is found, and how often more than half of it is; alone: how often warned")
    print(f"{'kind':>12} {'size':>6} {'n':>3} {'no face':>7} {'two':>11} {'three':>11} {'alone':>6} wrong")
    for (kind, size), values in sorted(rows.items()):
        array = np.array(values)
        known = array[np.isfinite(array[:, 0])]
        if not len(known):
            print(f"{kind:>12} {size:>6} {len(array):3} {len(array):7}")
            continue
        often = (known > 0.5).mean(axis=0)
        print(
            f"{kind:>12} {size:>6} {len(array):3} {len(array) - len(known):7}"
            f" {np.median(known[:, 0]):5.2f} {often[0]:5.2f} {np.median(known[:, 1]):5.2f} {often[1]:5.2f}"
            f" {(known[:, 2] > 0.2).mean():6.2f} {int(known[:, 3].sum()):5}"
        )


@app.command()
def clean(
    photos: Photos,
    labelled: Annotated[Path | None, typer.Option(help="folder of rendered people")] = None,
    first: Annotated[int, typer.Option(help="first rendered person; those before chose the limits")] = 64,
) -> None:
    """How often something is found before faces that nothing is before."""
    analyser = default_analyser()
    alone, together, count = 0, 0, 0
    for files in _people(photos):
        faces = [analyser.analyse(file) for file in files[:2]]
        alone += sum(bool(_find([face])[0].any()) for face in faces)
        together += any(found.any() for found in _find(faces))
        count += len(faces)
    print(f"real people: {alone} of {count} photos alone, {together} of {count // 2} people with two photos")
    if labelled is None:
        return
    rendered = LabelledPhotos(labelled)
    alone, together, count = 0, 0, 0
    for start in range(3 * first, min(len(rendered), 3 * (first + 67)), 3):
        shown = [rendered[start + number] for number in range(3)]
        heads = fit([each.landmarks for each in shown], 3 * [shown[0].image.shape[:2]]).geometries
        crops = np.stack([each.image for each in shown])
        alone += sum(
            bool(find_covered_faces(crops[n : n + 1], heads[n : n + 1], ["photo"]).notices) for n in range(3)
        )
        together += bool(find_covered_faces(crops, heads, 3 * ["photo"]).notices)
        count += 3
    print(f"rendered people: {alone} of {count} photos alone, {together} of {count // 3} people with three")


@app.command()
def profiles(people: Annotated[int, typer.Option(help="how many people")] = 40) -> None:
    """Rendered people turned by 30 to 90 degrees: errors of those found, and how others are refused."""
    analyser = _plain_analyser()
    rows: dict[int, list[tuple[str, float]]] = {}
    for seed in range(FIRST_SEED, FIRST_SEED + people):
        sitter = Person.sample(seed)
        setup = PhotoSetup.sample(
            seed, expression="neutral", pitch=0, roll=0, style="photo", sunglasses=False
        )
        side = 1 if seed % 2 else -1
        for yaw in YAWS:
            taken = photograph(sitter, replace(setup, pose=HeadPose(side * yaw)), 256)
            rows.setdefault(yaw, []).append(_judge_profile(taken, analyser))
    print(
        f"{'yaw':>4} {'found':>6} {'median error':>12} {'worst':>6} {'over 8':>6} {'profile':>8} {'other':>6}"
    )
    for yaw, values in rows.items():
        errors = [error for word, error in values if word == "found"]
        words = [word for word, _ in values]
        figures = (
            [float(np.median(errors)), max(errors), sum(e > 8 for e in errors)] if errors else 3 * [np.nan]
        )
        print(
            f"{yaw:4} {len(errors):6} {figures[0]:12.1f} {figures[1]:6.1f} {figures[2]:6.0f}"
            f" {words.count('profile'):8} {words.count('other'):6}"
        )


def _judge_profile(taken: Photograph, analyser: FaceAnalyser) -> tuple[str, float]:
    """Tell whether a face is found, and the error of its pose in degrees, or which way it is refused."""
    try:
        face = analyser.analyse(taken.image)
    except NoFaceError as error:
        return ("profile" if "seen from the side" in str(error) else "other"), np.nan
    size = len(face.crop)
    (head,) = fit([face.crop_landmarks], [(size, size)]).geometries
    turn = np.asarray(taken.truth.geometry.rotation).T @ head.rotation
    return "found", float(np.degrees(np.arccos(np.clip((np.trace(turn) - 1) / 2, -1, 1))))


def _plain_analyser() -> FaceAnalyser:
    """Make an analyser without a matte, which takes most of the time and is not needed here."""
    return FaceAnalyser(matting=lambda image: np.zeros(image.shape[:2], np.float32))


def _find(faces: Sequence[Face]) -> list[BoolArray]:
    """Places of the chart that are covered in each photo; of a single one those that may be."""
    model, size = HeadModel.load(), max(len(face.crop) for face in faces)
    crops = [cv2.resize(face.crop, (size, size), interpolation=cv2.INTER_CUBIC) for face in faces]
    mattes = [cv2.resize(face.matte, (size, size)) for face in faces]
    landmarks = [face.crop_landmarks * (size / len(face.crop)) for face in faces]
    heads = fit(landmarks, len(faces) * [(size, size)], weights=[face.quality for face in faces]).geometries
    parsing = default_analyser().parsing
    labels = np.stack([parsing(*view) for view in zip(crops, mattes, landmarks, strict=True)])
    settings, chart = CoverSettings(), FaceChart.of(model)
    covers, _ = find_cover_masks(np.stack(crops), heads, labels, chart, model, settings)
    return covers


def _on_head(hidden: Array, face: Face) -> BoolArray:
    """Where on the chart (H, W) something is before a face, given its alpha (S, S) in the crop."""
    model, size = HeadModel.load(), len(face.crop)
    chart = FaceChart.of(model)
    heads = fit([face.crop_landmarks], [(size, size)]).geometries
    picture = np.repeat((255 * hidden).astype(np.uint8)[..., None], 3, axis=2)
    found, seen = chart.look_up(picture[None], heads, model)
    return np.asarray((found[0, ..., 0] > 127) & (seen[0] > 0.3))


def _overlap(found: Array, true: Array) -> float:
    """Share of what is true that is found; NaN where nothing is to be seen."""
    return float((found & true).sum() / true.sum()) if true.any() else float("nan")


def _size(share: float) -> str:
    return "small" if share < 0.15 else "middle" if share < 0.35 else "large"


def _put_before(
    photo: ByteArray, landmarks: Array, kind: str, rng: np.random.Generator
) -> tuple[ByteArray, FloatArray, float]:
    """Paint something before a face: the photo, its alpha (H, W), and the share of the face that it hides."""
    places, size = landmarks[:, :2], max(photo.shape[:2])
    square = cv2.copyMakeBorder(photo, 0, size - len(photo), 0, size - photo.shape[1], cv2.BORDER_REPLICATE)
    oval = np.zeros((size, size), np.uint8)
    cv2.fillPoly(oval, [np.rint(places[FACE_OVAL]).astype(np.int32)], int(FaceLabel.SKIN))
    for _ in range(40):
        alpha, colour = KINDS[kind](square.astype(np.float32), oval, places, rng)
        soft = cv2.GaussianBlur(np.asarray(alpha, np.float32), (0, 0), 0.8 * size / 512)
        share = float(soft[oval > 0].mean())
        if 0.05 <= share <= 0.8:
            break
    painted = (square + soft[..., None] * (colour - square)).clip(0, 255).astype(np.uint8)
    height, width = photo.shape[:2]
    return painted[:height, :width], soft[:height, :width], share


def _phone(image: Array, labels: Array, landmarks: Array, rng: np.random.Generator) -> Paint:
    """A dark, grey or white box held before the face."""
    face = float(np.ptp(landmarks[FACE_OVAL, 1]))
    middle = landmarks[FACE_OVAL].mean(axis=0) + rng.normal(0, 0.2, 2) * face
    box = (tuple(middle), (face * rng.uniform(0.3, 0.42), face * rng.uniform(0.6, 0.85)), rng.normal(0, 15))
    mask: Array = np.zeros(labels.shape, np.float32)
    cv2.fillPoly(mask, [np.rint(cv2.boxPoints(box)).astype(np.int32)], 1.0)
    return mask, np.broadcast_to(np.float32(rng.choice([15, 25, 120, 230])), image.shape)


def _text_bar(image: Array, labels: Array, landmarks: Array, rng: np.random.Generator) -> Paint:
    """A bar with a line of text over the picture."""
    face = float(np.ptp(landmarks[FACE_OVAL, 1]))
    middle, half = landmarks[rng.choice([168, 13, 2, 152]), 1], face * rng.uniform(0.06, 0.12)
    mask: Array = np.zeros(labels.shape, np.float32)
    mask[max(0, int(middle - half)) : int(middle + half)] = 1
    colours = ((0, 0, 0), (255, 255, 255), (220, 40, 40), (250, 220, 60))
    bar = np.broadcast_to(np.uint8(colours[rng.integers(4)]), image.shape).copy()
    ink = tuple(255 - int(value) for value in bar[0, 0])
    start = (int(landmarks[:, 0].min()) - 40, int(middle + 0.5 * half))
    cv2.putText(bar, "SOME TEXT ON A BAR", start, cv2.FONT_HERSHEY_SIMPLEX, float(half / 15), ink, 2)
    return mask, bar.astype(np.float32)


KINDS = {**PAINTERS, "phone": _phone, "text bar": _text_bar}
"""What is painted before faces."""

YAWS = (30, 45, 60, 75, 90)
FIRST_SEED = 9_100_000
"""Of the people who are turned."""


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
