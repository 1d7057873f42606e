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
SIDE = 224
TARGETS = (("neutral", HeadPose()), ("smile", HeadPose(yaw=20, pitch=4)), ("surprise", HeadPose(yaw=-20)))
PROMPTS = (
    "a photo of a man with short auburn hair, wearing a purple t-shirt",
    "a photo of a man with blond hair, wearing a red shirt",
    "a photo of a man with round glasses, wearing a blue shirt",
)


def resized(image: object) -> np.ndarray:
    return np.asarray(Image.fromarray(np.asarray(image)).resize((SIDE, SIDE), Image.Resampling.LANCZOS))


def main() -> None:
    identity = Identity.from_photos(sorted((ROOT / "examples" / "person").glob("*.jpg")))
    pipe = HiFiPortraitPipeline.from_pretrained()
    targets = [Target.preset(name).replace(pose=pose) for name, pose in TARGETS]
    photos = [resized(crop) for crop in identity.crops]
    warps = [resized(identity.warp(target, 2 * SIDE)) for target in targets]
    portraits = [
        resized(pipe(identity, target, prompt, generator=torch.Generator().manual_seed(7)).images[0])
        for target, prompt in zip(targets, PROMPTS, strict=True)
    ]
    for name, results in (("warp", warps), ("portrait", portraits)):
        Image.fromarray(np.hstack([*photos, *results])).save(ROOT / "docs" / f"{name}.jpg", quality=90)


if __name__ == "__main__":
    main()
