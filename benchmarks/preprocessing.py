"""What analysing the photos of a person costs, on one core: `python benchmarks/preprocessing.py [PHOTO...]`.

Everything between photos on disk and an identity, by its parts: reading, the detector, landmarks, matte,
recogniser, the fit of the head. Models are loaded before the clock starts. Each round measures every part
once; the medians over rounds are printed.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import statistics
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import torch
from threadpoolctl import threadpool_limits

from hifi_portrait import Identity
from hifi_portrait.faces import FaceAnalyser, analyser
from hifi_portrait.person import identity

EXAMPLE = sorted((Path(__file__).parents[1] / "examples" / "person").glob("*.jpg"))


@dataclass
class Clock:
    """Seconds by part, in this round."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))

    def timing(self, part: str, call: Any) -> Any:
        """The call, with its time counted as the part's."""

        def timed(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            try:
                return call(*args, **kwargs)
            finally:
                self.seconds[part] += time.perf_counter() - started

        return timed


class TimedRecogniser:
    """The default recogniser, timed; the rest of it as it is."""

    def __init__(self, recogniser: Any, clock: Clock) -> None:
        self.recogniser, self.embed = recogniser, clock.timing("recogniser", recogniser)
        self.align, self.same_person = recogniser.align, recogniser.same_person

    def __call__(self, chips: Any) -> Any:
        return self.embed(chips)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("photos", nargs="*", type=Path, default=EXAMPLE)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    clock, plain = Clock(), FaceAnalyser()
    timed = FaceAnalyser(
        detector=clock.timing("detector", plain.detector),
        landmarker=clock.timing("landmarks", plain.landmarker),
        matting=clock.timing("matte", plain.matting),
        recogniser=TimedRecogniser(plain.recogniser, clock),
    )
    analyser.load_image = clock.timing("reading", analyser.load_image)
    identity.fit = clock.timing("fit of the head", identity.fit)
    rounds = []
    with threadpool_limits(1):
        Identity.from_photos(options.photos, analyser=timed)
        for _ in range(options.rounds):
            clock.seconds.clear()
            started = time.perf_counter()
            Identity.from_photos(options.photos, analyser=timed)
            total = time.perf_counter() - started
            rounds.append({**clock.seconds, "rest": total - sum(clock.seconds.values()), "all": total})
    print(f"{len(options.photos)} photos, one core, median of {options.rounds} rounds\n")
    print("| part | ms |\n| --- | --- |")
    for part in rounds[0]:
        print(f"| {part} | {1000 * statistics.median(each[part] for each in rounds):.0f} |")


if __name__ == "__main__":
    main()
