"""Draw scenes of a data set of panoramas with the truth in them: heads, sight lines, targets.

python scripts/draw_gaze_scenes.py DATA --out docs/gaze360/scenes.jpg

With --follow: what the package's networks find for these heads, and green crosses on the true targets.
"""

from __future__ import annotations

import argparse

import cv2
import numpy as np
from PIL import Image

from hifi_portrait.head.arrays import ByteArray
from mmrgaze360 import GazeFollower, Panorama
from mmrgaze360.dataset import SceneDataset, SceneRecord
from mmrgaze360.follower import mark
from mmrgaze360.sphere import arc_points, direction_to_pixel

ARC, IN_VIEW, HIDDEN, CAMERA = (60, 120, 255), (0, 230, 0), (255, 40, 40), (255, 230, 0)
_MARKED_WIDTH = 768


def draw(scene: SceneRecord) -> ByteArray:
    """Draw one panorama (H, 2 H, 3); yellow boxes are around those who look at the camera."""
    picture = scene.picture().copy()
    height, width = picture.shape[:2]
    for person in scene.people:
        x, y = direction_to_pixel(person.head, width, height)
        half = person.head_box[2:] / 720 * width + 1
        colour = CAMERA if person.target is None else ARC
        corners = [(int(x + a * half[0]), int(y + a * half[1])) for a in (-1, 1)]
        cv2.rectangle(picture, *corners, colour, 1)
        if person.target is None:
            continue
        arc = arc_points(person.head, person.target, np.linspace(0, 1, 600))
        for u, v in direction_to_pixel(arc, width, height):
            picture[min(int(v), height - 1), int(u)] = ARC
        spot = tuple(int(value) for value in direction_to_pixel(person.target, width, height))
        if person.in_view:
            cv2.circle(picture, spot, 5, IN_VIEW, 1, cv2.LINE_AA)
        else:
            cv2.drawMarker(picture, spot, HIDDEN, cv2.MARKER_TILTED_CROSS, 8, 1)
    return picture


def draw_found(follower: GazeFollower, scene: SceneRecord, width: int) -> ByteArray:
    """Draw one panorama, ``width`` pixels wide, as ``mmrgaze360 follow`` marks it, and the true targets."""
    picture = scene.picture()
    people = follower(Panorama(picture, scene.scene_id), [person.head_box for person in scene.people])
    large = cv2.resize(picture, (width, width // 2), interpolation=cv2.INTER_CUBIC)
    marked = mark(Panorama(large, scene.scene_id), people)
    for person in scene.people:
        if person.target is not None and person.in_view:
            x, y = direction_to_pixel(person.target, width, width // 2)
            cv2.drawMarker(marked, (int(x), int(y)), IN_VIEW, cv2.MARKER_TILTED_CROSS, width // 64, 2)
    return marked


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data")
    parser.add_argument("--out", required=True)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--count", type=int, default=4)
    parser.add_argument("--columns", type=int, default=2)
    parser.add_argument("--follow", action="store_true")
    parser.add_argument("--step", type=int, default=1)
    options = parser.parse_args()
    data = SceneDataset(options.data)
    scenes = [data[options.first + k * options.step] for k in range(options.count)]
    if options.follow:
        follower = GazeFollower.from_pretrained()
        tiles = [draw_found(follower, scene, _MARKED_WIDTH) for scene in scenes]
    else:
        tiles = [draw(scene) for scene in scenes]
    rows = [np.concatenate(tiles[k : k + options.columns], 1) for k in range(0, len(tiles), options.columns)]
    Image.fromarray(np.concatenate(rows)).save(options.out, quality=88)


if __name__ == "__main__":
    main()
