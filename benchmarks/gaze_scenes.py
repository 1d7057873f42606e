"""How many scenes of three people one core draws in a second of its time, making the people left out.

python benchmarks/gaze_scenes.py --size 1024 --scenes 8
"""

from __future__ import annotations

import argparse
import time
from itertools import islice

from mmrgaze360.dataset.format import encode_jpeg
from mmrgaze360.scenes.plan import ScenePlan, plan_scene
from mmrgaze360.scenes.render import draw_scene, shoot

CAST = range(50, 53)


def draw(plan: ScenePlan, size: int) -> tuple[float, float]:
    """Draw a scene; give the seconds of this process for its people and for the rest."""
    start = time.process_time()
    cutouts = {person.tag: shoot(plan, person) for person in plan.people}
    middle = time.process_time()
    encode_jpeg(draw_scene(plan, cutouts, size).picture)
    return middle - start, time.process_time() - middle


def main() -> None:
    kind = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=kind)
    parser.add_argument("--size", type=int, default=1024)
    parser.add_argument("--scenes", type=int, default=8)
    options = parser.parse_args()
    plans = (plan_scene(seed, CAST) for seed in range(10_000))
    three = (plan for plan in plans if len(plan.people) == 3)
    chosen = list(islice(three, options.scenes + 1))
    draw(chosen[0], options.size)  # compiles, and makes the people
    times = [draw(plan, options.size) for plan in chosen[1:]]
    people, rest = (sum(part) / len(times) for part in zip(*times, strict=True))
    rate = 1 / (people + rest)
    print(f"{people:.2f} s for three people, {rest:.2f} s for the rest: {rate:.2f} scenes a second")


if __name__ == "__main__":
    main()
