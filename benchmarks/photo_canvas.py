"""How far a warp is the photo: at its own pose, in small steps, and turned, beside the true photo.

    python benchmarks/photo_canvas.py own --photos DIR [--scoring DIR]
    python benchmarks/photo_canvas.py steps --photos DIR [--people 8]
    python benchmarks/photo_canvas.py truth [--people 12] [--scoring DIR]
    python benchmarks/photo_canvas.py turned --photos DIR --scoring DIR
    python benchmarks/photo_canvas.py time --photos DIR

``--photos`` is a folder with one folder of photos a person, of which the first by name is used; ``--scoring``
one with the scorers' weights (docs/evaluation.md). ``truth`` needs no photos: it takes synthetic people,
whose true picture at each yaw is known. Pictures are 512 x 512, differences are of 255.
"""

import time as clock
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import cv2
import numpy as np
import typer

from hifi_portrait import Identity, Target
from hifi_portrait.evaluation.scorers.mobilenet import MobileNetV2Features
from hifi_portrait.evaluation.scorers.recognisers import SFACE, SFaceRecogniser
from hifi_portrait.faces import IMAGE_SUFFIXES, FaceAnalyser, load_image
from hifi_portrait.head import HeadPose
from hifi_portrait.head.arrays import Array, BoolArray
from hifi_portrait.synthetic import Person, PhotoSetup, photograph

SIZE = 512
FAR = 40
"""Difference from which on a pixel is plainly another one."""
FIRST_SEED = 7_300_000
"""Of the synthetic people."""
YAWS = (10.0, 20.0, 30.0, 45.0)

app = typer.Typer(add_completion=False, help=__doc__)
Photos = Annotated[Path, typer.Option(help="folder with one folder of photos a person")]
Scoring = Annotated[Path | None, typer.Option(help="folder with the scorers' weights")]
People = Annotated[int, typer.Option(help="how many people")]


@app.command()
def own(photos: Photos, scoring: Scoring = None) -> None:
    """Warps of photos to their own pose and expression, beside the photos."""
    recogniser = None if scoring is None else SFaceRecogniser(scoring)
    rows = []
    print(f"{'person':>8} {'face':>6} {'hair':>6} {'behind':>6} {'far %':>6} {'SFace':>6}")
    for name, person in _people(photos):
        shown, drawn = _shrink(person.crops[0]), person.warp(Target.from_geometry(person.geometries[0]), SIZE)
        face, hair, behind, above = _regions(person)
        apart = np.abs(shown.astype(float) - drawn).mean(axis=2)
        alike = np.nan
        if recogniser is not None:
            alike = float(_embedding(recogniser, shown) @ _embedding(recogniser, drawn))
        rows.append(
            [
                *(np.mean(apart[region]) for region in (face, hair, behind)),
                100 * (apart[above] > FAR).mean(),
                alike,
            ]
        )
        print(f"{name:>8} " + " ".join(f"{value:6.2f}" for value in rows[-1]), flush=True)
    print(f"{'median':>8} " + " ".join(f"{value:6.2f}" for value in np.median(rows, axis=0)))
    print(
        f"{'worst':>8} "
        + " ".join(f"{value:6.2f}" for value in [*np.max(rows, axis=0)[:4], np.min(rows, axis=0)[4]])
    )


@app.command()
def steps(photos: Photos, people: People = 8) -> None:
    """Changes between neighbours: yaw from 0 to 45 by a degree, smile from 0 to 1 by .05."""
    print("largest change between neighbours, as a multiple of the median one")
    for name, person in list(_people(photos))[:people]:
        start = Target.from_geometry(person.geometries[0])
        pose = start.pose
        yaws = [start.replace(pose=HeadPose(yaw, pose.pitch, pose.roll)) for yaw in np.arange(0.0, 46.0)]
        smiles = [Target.preset("smile", strength) for strength in np.arange(0, 1.01, 0.05).round(2)]
        ratios = []
        for targets in (yaws, smiles):
            pictures = [person.warp(target, SIZE).astype(np.int16) for target in targets]
            changes = [
                np.abs(one - other).mean() for one, other in zip(pictures[1:], pictures[:-1], strict=True)
            ]
            ratios.append(max(changes) / np.median(changes))
        print(f"{name:>8} yaw {ratios[0]:5.2f}  smile {ratios[1]:5.2f}", flush=True)


@app.command()
def truth(people: People = 12, scoring: Scoring = None) -> None:
    """Synthetic people turned from a photo of yaw 0, beside their true photos of the same sitting."""
    features = None if scoring is None else MobileNetV2Features.load(scoring / "mobilenet_v2_imagenet.pth")
    analyser = FaceAnalyser()
    rows: dict[float, list[list[float]]] = {yaw: [] for yaw in YAWS}
    for seed in range(FIRST_SEED, FIRST_SEED + people):
        setup = PhotoSetup.sample(
            seed, expression="neutral", yaw=0, pitch=0, roll=0, style="photo", sunglasses=False
        )
        sitter = Person.sample(seed)
        person = Identity.from_photos([photograph(sitter, setup, 640).image], analyser=analyser)
        for yaw in YAWS:
            taken = photograph(sitter, replace(setup, pose=HeadPose(yaw)), 640).image
            shown = Identity.from_photos([taken], analyser=analyser)
            target = Target.from_geometry(shown.geometries[0])
            drawn, true = person.warp(target, SIZE), _shrink(shown.crops[0])
            face, hair, behind, _ = _regions(shown)
            apart = np.abs(drawn.astype(float) - true).mean(axis=2)
            far = np.nan if features is None else _feature_distance(features, drawn, true, face)
            rows[yaw].append(
                [apart[~face].mean(), far, _hair_overlap(drawn, true, hair & ~face, behind, face)]
            )
    print(f"{'yaw':>4} {'error':>7} {'features':>9} {'hair IoU':>9}   (outside the face)")
    for yaw, values in rows.items():
        print(f"{yaw:4.0f} " + "{:7.2f} {:9.3f} {:9.3f}".format(*np.nanmean(values, axis=0)))


@app.command()
def turned(
    photos: Photos, scoring: Annotated[Path, typer.Option(help="folder with the scorers' weights")]
) -> None:
    """Who is recognised turned by 25 and 45 degrees and laughing, by the second photo of everybody."""
    recogniser, analyser = SFaceRecogniser(scoring), FaceAnalyser()
    known, drawn = [], {25.0: [], 45.0: []}
    for folder in sorted(path for path in photos.iterdir() if path.is_dir()):
        first, second = sorted(file for file in folder.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)[:2]
        person = Identity.from_photos([first], analyser=analyser)
        known.append(_embedding(recogniser, load_image(second)))
        for yaw, embeddings in drawn.items():
            picture = person.warp(Target.preset("laugh", pose=HeadPose(yaw)), SIZE)
            embeddings.append(_embedding(recogniser, picture))
    for yaw, embeddings in drawn.items():
        alike = np.array(embeddings) @ np.array(known).T
        right = (alike.argmax(axis=1) == np.arange(len(known))).sum()
        print(
            f"yaw {yaw:.0f}: {right} of {len(known)} recognised, mean similarity {np.diag(alike).mean():.3f}"
        )


@app.command("time")
def measure_time(photos: Photos) -> None:
    """CPU seconds of a warp: the first of a person, and another of the same person."""
    first, later = [], []
    for number, (_, person) in enumerate(_people(photos)):
        start = Target.from_geometry(person.geometries[0])
        for seconds, yaw in ((first, 5.0), (later, 15.0)):
            begin = clock.process_time()
            person.warp(start.replace(pose=HeadPose(yaw)), SIZE)
            seconds.append(clock.process_time() - begin)
        if number == 10:
            break
    print(f"first {np.median(first[1:]):.2f} s, later {np.median(later[1:]):.2f} s (median)")


def _people(folder: Path) -> Iterator[tuple[str, Identity]]:
    """Each person's name, and the identity of their first photo."""
    analyser = FaceAnalyser()
    for each in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = sorted(file for file in each.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
        if files:
            yield each.name, Identity.from_photos(files[:1], analyser=analyser)


def _shrink(crop: Array) -> Array:
    return np.asarray(cv2.resize(np.asarray(crop), (SIZE, SIZE), interpolation=cv2.INTER_AREA))


def _regions(person: Identity) -> tuple[BoolArray, BoolArray, BoolArray, BoolArray]:
    """Face, hair and ears above the chin, background, and the head above the chin (512, 512)."""
    scale = SIZE / person.crops.shape[1]
    points = (person.landmarks[0, :, :2] * scale).round().astype(np.int32)
    face = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillConvexPoly(face, cv2.convexHull(points), 1)
    matte = cv2.resize(np.asarray(person.mattes[0], np.float32), (SIZE, SIZE))
    above = (np.arange(SIZE)[:, None] < points[152, 1]) & (matte > 0.02)
    return face > 0, above & (face == 0), matte < 0.02, above


def _embedding(recogniser: SFaceRecogniser, picture: Array) -> Array:
    """SFace's embedding (128,) at unit length; zeros where it finds no face."""
    read = recogniser.read(picture).get("embeddings", {}).get(SFACE)
    return np.zeros(128) if read is None else np.asarray(read / np.linalg.norm(read))


def _feature_distance(features: MobileNetV2Features, drawn: Array, true: Array, face: BoolArray) -> float:
    """Distance of the two pictures' features, with the face of both painted grey."""
    described = [features.describe(np.where(face[..., None], np.uint8(128), each)) for each in (drawn, true)]
    return float(np.linalg.norm(described[0] - described[1]))


def _hair_overlap(drawn: Array, true: Array, hair: BoolArray, behind: BoolArray, face: BoolArray) -> float:
    """Intersection over union of the hair of both: of what has rather hair's colour than the others'."""
    lab = [cv2.cvtColor(each, cv2.COLOR_RGB2LAB).astype(float) for each in (drawn, true)]
    others = ~hair & ~behind & ~face
    if min(hair.sum(), behind.sum(), others.sum()) < 200:
        return float("nan")
    medians = [np.median(lab[1][region], axis=0) for region in (hair, behind, others)]
    found = []
    for picture in lab:
        away = np.stack([np.linalg.norm(picture - median, axis=2) for median in medians])
        found.append((away.argmin(axis=0) == 0) & ~face)
    return float((found[0] & found[1]).sum() / max((found[0] | found[1]).sum(), 1))


if __name__ == "__main__":
    app()
