"""Render people with the label of each pixel, which the recipe `face-parsing` learns from.

python scripts/render_labelled_people.py labelled --people 1000 --environments environments
"""

from __future__ import annotations

import argparse
from pathlib import Path

from hifi_portrait.training.data.labelled_photos import write_labelled_photos


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path, help="folder to write; shards that are there are kept")
    parser.add_argument("--people", type=int, default=1000, help="how many people, in shards of 16")
    parser.add_argument("--photos", type=int, default=3, help="photos of each")
    parser.add_argument("--seed", type=int, default=0, help="seed of the first person")
    parser.add_argument("--environments", type=Path, help="folder of panoramas, by fetch_environments.py")
    parser.add_argument("--workers", type=int, default=1, help="processes that render")
    given = parser.parse_args()
    write_labelled_photos(
        given.out,
        given.people,
        given.photos,
        seed=given.seed,
        environments=given.environments,
        workers=given.workers,
        progress=lambda done: print(f"{done} shards", flush=True),
    )


if __name__ == "__main__":
    main()
