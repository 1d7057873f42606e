"""Make docs/warp.jpg: the example person's photos, and their plain warp to three targets.

python scripts/make_readme_picture.py
"""

from pathlib import Path

import numpy as np
from PIL import Image

from hifi_portrait import Identity, Target
from hifi_portrait.head import HeadPose

ROOT = Path(__file__).resolve().parent.parent
SIDE = 224
TARGETS = (("neutral", HeadPose()), ("smile", HeadPose(yaw=20, pitch=4)), ("surprise", HeadPose(yaw=-20)))


def main() -> None:
    identity = Identity.from_photos(sorted((ROOT / "examples" / "person").glob("*.jpg")))
    photos = [np.asarray(Image.fromarray(crop).resize((SIDE, SIDE))) for crop in identity.crops]
    warps = [identity.warp(Target.preset(name).replace(pose=pose), SIDE) for name, pose in TARGETS]
    Image.fromarray(np.hstack([*photos, *warps])).save(ROOT / "docs" / "warp.jpg", quality=90)


if __name__ == "__main__":
    main()
