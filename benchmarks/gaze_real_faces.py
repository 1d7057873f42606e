"""Real faces that look into the lens: by themselves, and set into panoramas as people who look at the camera.

python benchmarks/gaze_real_faces.py --photos DIR --environments DIR --model MODEL

DIR of photos holds pictures of one person each who looks into the lens; DIR of panoramas .exr or .hdr files.
Printed are the head network's error in degrees on the photos' own heads, and, of those heads set into
panoramas one by one: the part that is found, the error of the direction, and the part of those found to which
"out of view" is given a probability of 0.9 or more. The first picture that each panorama gets is written to
--out, where that is given.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from hifi_portrait.faces.detector import MediaPipeFaceDetector
from hifi_portrait.faces.image import load_image
from hifi_portrait.faces.landmarker import MediaPipeLandmarker
from hifi_portrait.faces.matting import MediaPipeMatting
from hifi_portrait.head.arrays import Array, ByteArray
from hifi_portrait.scenery.environment import Environment, expose_background, light_from, load_environments
from mmrgaze360 import GazeFollower, Panorama
from mmrgaze360.detect_heads import detect_heads
from mmrgaze360.follower import mark, read_gaze
from mmrgaze360.measures.finding import box_overlap
from mmrgaze360.panorama import save_picture
from mmrgaze360.scenes.render import tone_map
from mmrgaze360.sphere import (
    TangentPatch,
    angle_between,
    direction_grid,
    lonlat_to_direction,
    rotation_of_view,
)

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}
HEIGHTS = (7.0, 16.0)
"""Degrees of a head that is set into a panorama, drawn evenly on a scale of logarithms."""
OVERLAP = 0.3
"""Of a found box with the one that the face's landmarks give: they are not drawn alike."""
HEAD_OVER_FACE = 1.45
"""Height of a head's box over that from the chin to the brows' upper edge."""


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A photo of one person who looks into the lens."""

    name: str
    pixels: ByteArray
    """(h, w, 3)"""
    matte: Array
    """(h, w) 1 on the person."""
    middle: Array
    """(2,) of the head, pixels."""
    height: float
    """Of the head, pixels."""


def read_photos(folder: Path, side: int = 900) -> Iterator[Photo]:
    """Read photos; those without a face are named and left out."""
    detector, landmarker, matting = MediaPipeFaceDetector(), MediaPipeLandmarker(), MediaPipeMatting()
    for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES):
        image = load_image(path)
        scale = side / max(image.shape[:2])
        if scale < 1:
            image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        found = detector(image)
        landmarks = landmarker(image, found[0]) if found else None
        if landmarks is None:
            print(f"{path}: no face")
            continue
        low, high = landmarks[:, 1].min(), landmarks[:, 1].max()
        height = HEAD_OVER_FACE * float(high - low)
        middle = np.array((landmarks[:, 0].mean(), high - height / 2))
        yield Photo(name=path.parent.name, pixels=image, matte=matting(image), middle=middle, height=height)


def set_into(background: ByteArray, photo: Photo, box: Array) -> Panorama:
    """Set a photo's person into a panorama so that the head fills a box (4,) in degrees."""
    picture = background.astype(np.float32)
    rows, columns = picture.shape[:2]
    focal = photo.height / 2 / np.tan(np.radians(box[3]) / 2)
    size = 2 * max(photo.pixels.shape[:2])
    patch = TangentPatch(
        rotation=rotation_of_view(lonlat_to_direction(box[0], box[1])),
        fov=float(np.degrees(2 * np.arctan(size / 2 / focal))),
        size=size,
    )
    shrink = max(1.0, focal * 2 * np.pi / columns)
    layer = np.dstack([photo.pixels.astype(np.float32), photo.matte.astype(np.float32)])
    layer[..., :3] *= layer[..., 3:]
    layer = cv2.GaussianBlur(layer, (0, 0), 0.45 * shrink)

    place = patch.project(direction_grid(columns, rows)) - size / 2 + photo.middle - 0.5
    u, v = np.moveaxis(np.nan_to_num(place, nan=-9.0).astype(np.float32), -1, 0)
    read = cv2.remap(layer, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    picture = picture * (1 - read[..., 3:]) + read[..., :3]
    return Panorama(np.asarray(np.clip(np.rint(picture), 0, 255), np.uint8), photo.name)


def expose(environment: Environment, columns: int) -> ByteArray:
    """Show a panorama of linear light as a picture (columns / 2, columns, 3)."""
    scale = light_from(environment, np.eye(3)).scale
    around = expose_background(environment.radiance, scale, environment.place.brightness)
    picture = tone_map(around, np.random.default_rng(0))
    return np.asarray(cv2.resize(picture, (columns, columns // 2), interpolation=cv2.INTER_LINEAR))


@dataclass(kw_only=True)
class Figures:
    """What was measured, a number for each photo."""

    alone: list[float] = field(default_factory=list)
    """Degrees off the lens of the photos by themselves."""
    found: list[bool] = field(default_factory=list)
    """Whether the head is found where it was set into a panorama."""
    directions: list[float] = field(default_factory=list)
    """Degrees off the lens there."""
    hidden: list[float] = field(default_factory=list)
    """Probability of those found that their target is out of view."""

    def print(self) -> None:
        """Print what the photos have in the mean."""
        print(describe("photos, degrees off the lens", self.alone))
        if self.found:
            print(f"set into panoramas: {np.mean(self.found):.3f} of {len(self.found)} found")
            print(describe("set into panoramas, degrees off the lens", self.directions))
        if self.hidden:
            sure = np.mean(np.array(self.hidden) >= 0.9)
            print(f"out of view with 0.9 or more: {sure:.3f} of {len(self.hidden)} found")


def look_alone(follower: GazeFollower, photo: Photo) -> float:
    """Measure the head network on a photo by itself: degrees off the lens."""
    size = max(photo.pixels.shape[:2])
    fov = float(np.degrees(2 * np.arctan(size / 2 / (photo.height / 2 / np.tan(np.radians(5))))))
    square = np.full((size, size, 3), 128, np.uint8)
    left, top = (size - photo.pixels.shape[1]) // 2, (size - photo.pixels.shape[0]) // 2
    square[top : top + photo.pixels.shape[0], left : left + photo.pixels.shape[1]] = photo.pixels
    panorama = Panorama.from_photo(square, fov, photo.name)
    offset = (photo.middle + np.array((left, top)) - size / 2) * 10 / photo.height
    box = np.array((offset[0], -offset[1], 7.5, 10.0))
    return off_lens(read_gaze(follower.model.head, panorama, box)[0], box)


def look_in_panorama(
    follower: GazeFollower, panorama: Panorama, box: Array, figures: Figures, picture: Path | None
) -> None:
    """Measure a person who was set into a panorama with the head in a box; draw it, if a file is given."""
    boxes = [] if follower.model.detector is None else detect_heads(follower.model.detector, panorama)[0]
    overlaps = [box_overlap(each, box) for each in boxes]
    is_found = max(overlaps, default=0.0) >= OVERLAP
    used = boxes[int(np.argmax(overlaps))] if is_found else box
    (person,) = follower(panorama, [used])
    figures.found.append(is_found)
    figures.directions.append(off_lens(person.gaze, used))
    if is_found:
        figures.hidden.append(1 - person.in_view)
    if picture is not None:
        picture.parent.mkdir(parents=True, exist_ok=True)
        save_picture(mark(panorama, follower(panorama, boxes) if boxes else [person]), picture)


def main() -> None:
    kind = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=kind)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--environments", type=Path)
    parser.add_argument("--model", type=Path, help="Folder of trained networks; the package's own without.")
    parser.add_argument("--width", type=int, default=1024, help="Columns of the panoramas.")
    parser.add_argument("--most", type=int, help="Photos to take, at most.")
    parser.add_argument("--out", type=Path, help="Folder for pictures of the first twelve.")
    options = parser.parse_args()
    follower = GazeFollower.from_pretrained(options.model)
    places = load_environments(options.environments) if options.environments else ()
    backgrounds = [expose(place, options.width) for place in places]
    rng = np.random.default_rng(365)
    figures = Figures()
    for number, photo in enumerate(islice(read_photos(options.photos), options.most)):
        figures.alone.append(look_alone(follower, photo))
        if backgrounds:
            height = float(np.exp(rng.uniform(*np.log(HEIGHTS))))
            box = np.array((rng.uniform(-180, 180), rng.normal(0, 8), 0.75 * height, height))
            panorama = set_into(backgrounds[number % len(backgrounds)], photo, box)
            is_drawn = options.out is not None and number < 12
            picture = options.out / f"{number:02d}.png" if is_drawn else None
            look_in_panorama(follower, panorama, box, figures, picture)
    figures.print()


def off_lens(gaze: Array, box: Array) -> float:
    """Measure a gaze (3,) against the way from a head's box (4,) to the camera, in degrees."""
    return float(np.degrees(angle_between(gaze, -lonlat_to_direction(box[0], box[1]))))


def describe(what: str, values: list[float]) -> str:
    """Give mean and median of some values."""
    return f"{what}: mean {np.mean(values):.2f}, median {np.median(values):.2f} of {len(values)}"


if __name__ == "__main__":
    main()
