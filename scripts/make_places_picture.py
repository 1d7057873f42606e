"""Make docs/places.jpg: one photo each of two people, and what prompts make of it.

python scripts/make_places_picture.py --photos DIR

DIR holds the Face Research Lab London Set (DeBruine and Jones 2017, doi 10.6084/m9.figshare.5047666,
CC BY 4.0), one folder a person with `neutral.jpg` and `smiling.jpg`. The portraits are the bundled model's,
made of both photos.
"""

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from hifi_portrait import HiFiPortraitPipeline, Identity, Target

ROOT = Path(__file__).resolve().parent.parent
SIDE = 300
ROWS = {
    "122": (
        ("a woman in a forest", 12),
        ("a woman at the beach at sunset", -12),
        ("a woman in the city at night, neon light", 0),
        ("a watercolour of a woman in a garden", 8),
    ),
    "005": (
        ("a man in front of a white brick wall, window light", -10),
        ("a man, dark background, dramatic lighting", 12),
        ("a man with brown hair, wearing a navy sweater, beige background", 0),
        ("a pencil sketch of a man", 6),
    ),
}
"""By person: prompts, and how far the head is turned, in degrees."""


def resized(image: object) -> np.ndarray:
    return np.asarray(Image.fromarray(np.asarray(image)).resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=Path, required=True)
    folder = parser.parse_args().photos
    pipe = HiFiPortraitPipeline.from_pretrained()
    rows = []
    for name, asked in ROWS.items():
        identity = Identity.from_photos([folder / name / f"{kind}.jpg" for kind in ("neutral", "smiling")])
        drawn = [pipe(identity, Target("smile", yaw=yaw), prompt).images[0] for prompt, yaw in asked]
        rows.append(np.hstack([resized(each) for each in (identity.crops[0], *drawn)]))
    Image.fromarray(np.vstack(rows)).save(ROOT / "docs" / "places.jpg", quality=88)


if __name__ == "__main__":
    main()
