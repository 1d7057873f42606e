"""Make docs/people.jpg: real people's photos, and portraits of them.

python scripts/make_people_picture.py --photos DIR

DIR holds the Face Research Lab London Set (DeBruine and Jones 2017, doi 10.6084/m9.figshare.5047666,
CC BY 4.0), one folder a person with `neutral.jpg` and `smiling.jpg`. Of each person the picture shows the
neutral photo, two portraits that the bundled model makes of both photos, and that photo redrawn with a smile.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from hifi_portrait import HiFiPortraitPipeline, Identity, Scene, Target
from hifi_portrait.head import HeadPose

ROOT = Path(__file__).resolve().parent.parent
SIDE = 288
PEOPLE = ("044", "009", "022", "032")
TARGETS = (
    Target("smile", pose=HeadPose(yaw=25)),
    Target("laugh", pose=HeadPose(yaw=-30, pitch=4), gaze=(20, 0)),
)
REDRAWN = "smile"


def resized(image: object) -> np.ndarray:
    return np.asarray(Image.fromarray(np.asarray(image)).resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    folder = parser.parse_args().photos
    pipe = HiFiPortraitPipeline.from_pretrained()
    rows = []
    for name in PEOPLE:
        photos = [folder / name / "neutral.jpg", folder / name / "smiling.jpg"]
        identity = Identity.from_photos(photos)
        portraits = [
            pipe(identity, target, "", generator=torch.Generator().manual_seed(7)).images[0]
            for target in TARGETS
        ]
        scene = Scene.from_photo(photos[0])
        redrawn = pipe.redraw(identity, scene, target=scene.target.replace(expression=REDRAWN))[0]
        rows.append(np.hstack([resized(each) for each in (identity.crops[0], *portraits, redrawn)]))
    Image.fromarray(np.vstack(rows)).save(ROOT / "docs" / "people.jpg", quality=88)


if __name__ == "__main__":
    main()
