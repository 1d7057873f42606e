"""Draw docs/living_head.jpg: a baked head of the example photos above the warp to the same targets."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from hifi_portrait import BakedHead, Identity, Target

ROOT = Path(__file__).parents[1]
TARGETS = (
    Target(),
    Target(yaw=25, expression="smile"),
    Target(yaw=-25),
    Target(yaw=10, expression="surprise"),
    Target(yaw=-40, gaze=(20, 0)),
)
SIDE = 280


def main() -> None:
    """Draw it."""
    identity = Identity.from_photos([ROOT / "examples" / "person"])
    head = BakedHead.bake(identity)
    above = [head.draw(target, SIDE, background=True)[..., :3] for target in TARGETS]
    below = [identity.warp(target.replace(look=head.look), SIDE) for target in TARGETS]
    sheet = np.concatenate([np.concatenate(row, axis=1) for row in (above, below)])
    Image.fromarray(sheet).save(ROOT / "docs" / "living_head.jpg", quality=90)


if __name__ == "__main__":
    main()
