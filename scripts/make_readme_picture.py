"""Make docs/warp.jpg and docs/portrait.jpg: the example person's photos, and what becomes of them.

python scripts/make_readme_picture.py

The first shows the plain warp to three targets, the second the bundled model's portraits of the same.
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from hifi_portrait import HiFiPortraitPipeline, Identity, Target
from hifi_portrait.head import HeadPose

ROOT = Path(__file__).resolve().parent.parent
SIDE = 384
TARGETS = (
    ("smile", HeadPose(yaw=-20, pitch=3), (0, 0)),
    ("smile", HeadPose(yaw=-30), (25, 0)),
    ("surprise", HeadPose(yaw=8, pitch=8), (0, 0)),
    ("laugh", HeadPose(yaw=-12, roll=10), (0, 0)),
)
PROMPTS = (
    "",
    "a photo of a man with blond hair, wearing a navy sweater",
    "a photo of a man with round glasses, wearing a red shirt",
    "a photo of a man with dark brown hair",
)


def resized(image: object) -> np.ndarray:
    return np.asarray(Image.fromarray(np.asarray(image)).resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def main() -> None:
    identity = Identity.from_photos(sorted((ROOT / "examples" / "person").glob("*.jpg")))
    pipe = HiFiPortraitPipeline.from_pretrained()
    targets = [Target.preset(name, pose=pose, gaze=gaze) for name, pose, gaze in TARGETS]
    photos = [resized(crop) for crop in identity.crops]
    warps = [resized(identity.warp(target, 512)) for target in targets]
    portraits = [
        resized(pipe(identity, target, prompt, generator=torch.Generator().manual_seed(7)).images[0])
        for target, prompt in zip(targets, PROMPTS, strict=True)
    ]
    for name, rows in (("warp", [warps]), ("portrait", [photos, portraits])):
        sheet = np.vstack([np.hstack(row) for row in rows])
        Image.fromarray(sheet).save(ROOT / "docs" / f"{name}.jpg", quality=88)


if __name__ == "__main__":
    main()
