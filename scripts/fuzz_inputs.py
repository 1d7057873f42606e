"""Bad inputs by the hundred: every command and public call must answer each in a sentence, and lose nothing.

    python scripts/fuzz_inputs.py                            # 1,000 cases
    python scripts/fuzz_inputs.py --start 730 --count 1      # one of them again

Files of every kind are truncated, flipped, renamed, emptied; arguments are of every type and value; folders
hold every mess. Commands run in this process; each case has random numbers of its own. What counts as a
fault: a traceback or an exit code other than 0 and 2; an exception that is no `HiFiPortraitError`,
`ValueError` or `TypeError`; an answer that names neither the file nor the argument; an input that changed; a
half-written output; a case that takes too long.
"""

from __future__ import annotations

import argparse
import hashlib
import logging
import os
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from typer.testing import CliRunner

ROOT = Path(__file__).parents[1]
PHOTOS = [ROOT / "tests/pictures/person_a_1.jpg", ROOT / "tests/pictures/person_a_1.heic"]
VALUES: list[Any] = [
    *(None, True, "", "x", b"x", "nan", "1e999", "-1", "0", "9" * 30, "../..", "\U0001f600", "a\0b"),
    *(0, -1, 1, 2**70, 0.0, -0.5, 1e300, float("nan"), float("inf"), 1 + 2j, [], [1], {}, {"a": 1}, object()),
    *(np.int64(3), np.float32("nan"), np.zeros(3), np.array("x"), range(3), Path("nowhere"), len),
]
LONGEST = 120
"""Seconds that a case may take on a busy machine, most of which a hang would take."""


class Fault(Exception):  # noqa: N818
    """An answer that is none."""


def main() -> None:
    """Run the cases and list the faults; exit code 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--start", type=int, default=0, help="Number of the first case.")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        cases = range(options.start, options.start + options.count)
        kinds, faults = run_cases(Path(folder), cases, options.seed)
    print(f"{options.count} cases ({dict(kinds)}), seed {options.seed}: {len(faults)} faults")
    sys.exit(1 if faults else 0)


def run_cases(folder: Path, cases: range, seed: int) -> tuple[Counter[str], list[str]]:
    """Run cases in an empty folder: how many there were of each kind, and what was wrong."""
    logging.disable(logging.CRITICAL)
    faults: list[str] = []
    kinds: Counter[str] = Counter()
    fuzzer = Fuzzer(folder)
    kept = {path: _hash(path) for path in (*PHOTOS, fuzzer.saved)}
    for number in cases:
        fuzzer.rng = random.Random(f"{seed} {number}")
        kind, case = fuzzer.make_case(number)
        kinds[kind] += 1
        try:
            with time_limit(LONGEST):
                case()
            changed = [path.name for path, digest in kept.items() if _hash(path) != digest]
            if changed:
                raise Fault(f"{changed} changed")
        except Fault as fault:
            faults.append(f"case {number} ({kind}): {fault}")
            print(faults[-1], flush=True)
        if (number + 1) % 50 == 0:
            print(f"{number + 1 - cases.start} done", flush=True)
        shutil.rmtree(folder / f"{number}", ignore_errors=True)
    logging.disable(logging.NOTSET)
    return kinds, faults


@contextmanager
def time_limit(seconds: int) -> Iterator[None]:
    """Raise a fault in a case that takes longer."""

    def stop(*_: Any) -> None:
        raise Fault(f"it takes longer than {seconds} s")

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


class Fuzzer:
    """Makes cases from random numbers."""

    rng: random.Random

    def __init__(self, folder: Path) -> None:
        from hifi_portrait import (
            HiFiPortraitPipeline,  # noqa: F401  (imported before a case has to wait)
            Identity,
            Target,
        )
        from hifi_portrait.cli.app import app

        self.folder, self.app = folder, app
        self.saved = folder / "saved.safetensors"
        self.identity = Identity.from_photos(PHOTOS[0])
        self.identity.save(self.saved)
        self.identity.warp(Target(), 64)  # compiles what the first case would have to wait for

    def make_case(self, number: int) -> tuple[str, Callable[[], None]]:
        """Make the next case: its kind, and a function that raises a `Fault` where there is one."""
        kind = self.rng.choice(["file", "folder", "option", "other", "moving", "target", "call"])
        place = self.folder / f"{number}"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        return kind, lambda: getattr(self, f"_try_{kind}")(place)

    def bad_file(self, place: Path) -> Path:
        """Write a file that is damaged, of another kind than its name says, or no file."""
        rng = self.rng
        data = bytearray(rng.choice([*PHOTOS, self.saved]).read_bytes())
        suffix = rng.choice([".jpg", ".png", ".heic", ".webp", ".tif", ".gif", ".safetensors", ".bmp", ""])
        path = place / f"in {rng.choice(['a', 'ä', '.5', '-x'])}{rng.randrange(99)}{suffix}"
        change = rng.choice(
            ["cut", "flip", "empty", "noise", "tiny", "folder", "link", "gone", "head", "pipe"]
        )
        if change == "cut":
            data = data[: rng.randrange(len(data))]
        elif change == "flip":
            for _ in range(rng.randrange(1, 200)):
                data[rng.randrange(min(len(data), 4000))] = rng.randrange(256)
        elif change == "empty":
            data = bytearray()
        elif change == "noise":
            data = bytearray(rng.randbytes(rng.randrange(1, 5000)))
        elif change == "head":
            data = data[:20] + rng.randbytes(400)
        if change == "tiny":
            size = rng.choice([(1, 1), (1, 900), (31, 31), (33, 40)])
            Image.new(rng.choice(["L", "RGB", "1", "RGBA"]), size).save(path, "PNG")
        elif change == "folder":
            path.mkdir()
        elif change == "link":
            path.symlink_to(place / "nowhere")
        elif change == "pipe":
            os.mkfifo(path)
        elif change != "gone":
            path.write_bytes(data)
        return path

    def _try_file(self, place: Path) -> None:
        path = self.bad_file(place)
        command = self.rng.choice(
            ["warp", "landmarks", "identity", "like", "redraw", "recogniser", "generate"]
        )
        out = str(place / ("o.safetensors" if command == "identity" else "o.png"))
        words = {
            "like": ["warp", self.saved, "--like", path, "--size", 64],
            "redraw": ["redraw", path, self.saved],
            "recogniser": ["warp", self.saved, "--like", path, "--size", 64],
            "generate": ["generate", path, self.saved, "--model", path],
        }.get(command, [command, path, *(["--size", 64] if command in ("warp", "landmarks") else [])])
        self.run([*map(str, words), "--out", out], named=[path.name, "--out", "--like"], place=place)

    def _try_folder(self, place: Path) -> None:
        inside = place / "photos"
        inside.mkdir()
        for _ in range(self.rng.randrange(5)):
            self.bad_file(inside)
        if self.rng.random() < 0.3:
            shutil.copy(PHOTOS[0], inside / "good.jpg")
        out = self.rng.choice([str(inside), str(inside / "good.jpg"), str(place / "o.png")])
        self.run(["warp", str(inside), "--size", "64", "--out", out], named=["photos", "--out"], place=place)

    def _try_option(self, place: Path) -> None:
        name = self.rng.choice(
            [
                "--yaw",
                "--pitch",
                "--expression",
                "--glasses",
                "--hair",
                "--clothes",
                "--framing",
                "--size",
                "--out",
                "--like",
                "--face",
            ]
        )
        value = str(self.rng.choice(VALUES)).replace("\0", "")
        command = self.rng.choice(["warp", "warp", "generate"])
        words = [command, str(self.saved), name, value]
        if command == "generate":
            extra = self.rng.choice(
                ["--steps", "--seed", "--count", "--guidance", "--warp-strength", "--device"]
            )
            words += [
                extra,
                str(self.rng.choice(["nan", "-1", "x", "", "1e99", "9" * 30])),
                "--model",
                "no/t/h",
            ]
        if name != "--out":
            words += ["--out", str(place / "o.png")]
        named = [
            name,
            name.strip("-"),
            *([value] if value else []),
            "--model",
            "no/t/h",
            "gaze",
            "--",
            "Usage",
        ]
        self.run(words, named=named, place=place)

    def _try_other(self, place: Path) -> None:
        """Try a command that makes models or data sets, with something that it cannot use."""
        bad, out = str(self.bad_file(place)), str(place / "out")
        number = self.rng.choice(["0", "-1", "x", "", "1e99", "nan", "9" * 30])
        word = self.rng.choice(["nope", "a=b", "trainer.nope=1", "trainer.max_steps=x", "=", "\U0001f600"])
        words = self.rng.choice(
            [
                ["people", "--count", number, "--out", out],
                ["people", "--size", number, "--photos", number, "--out", out],
                ["people", "--count", "1", "--variety", word, "--out", out],
                ["people", "--count", "1", "--environments", bad, "--out", out],
                ["prepare", "--data", bad, "--out", out],
                ["prepare", "--data", str(place), "--buckets", number, "--out", out],
                ["train", "hifi-tiny", "--data", bad, "--out", out],
                ["train", bad, "--data", str(place), "--out", out],
                ["train", word, "--data", str(place), "--out", out],
                ["train", "hifi-tiny", "--data", str(place), "--out", out, "--set", word],
                ["export", bad, "--out", out],
                ["export", str(place), "--steps", number, "--out", out],
                ["convert", "instantid", "--controlnet", bad, "--adapter", bad, "--out", out],
                ["recipes", "show", bad],
                ["recipes", "show", "hifi-tiny", "--set", word],
                ["evaluate", "people", "--count", number, "--out", out],
                ["evaluate", "people", "--count", "1", "--model", bad, "--out", out],
                ["evaluate", "real", bad, "--out", out],
                ["evaluate", "prompts", "--count", number, "--out", out],
                ["evaluate", "autoencoder", "--model", bad, "--out", out],
                ["evaluate", "time", bad, "--out", out],
                ["baselines", "--data", bad, "--out", out],
                ["plot", bad, "--out", out],
                ["attributes", "train", bad, "--out", f"{out}.safetensors"],
                ["attributes", "photos", "--count", number, "--out", out],
                [word],
                ["warp", word],
                ["presets", word],
            ]
        )
        names = [Path(entry).name for entry in words[1:] if entry not in (out, "--out")]
        self.run(words, named=[name for name in names if name] + ["--", word, "Usage"], place=place)

    def _try_moving(self, place: Path) -> None:
        """Try videos, sheets, backgrounds and data sets of photos, with something that they cannot use."""
        bad, out, saved = self.bad_file(place), str(place / "out"), str(self.saved)
        if self.rng.random() < 0.5 and bad.is_file() and not bad.is_symlink():
            ending = self.rng.choice([".mp4", ".json", ".csv", ".gif", ".txt"])
            bad = bad.rename(bad.with_suffix(ending))
        name = str(bad)
        number = self.rng.choice(["0", "-1", "x", "", "1e99", "nan", "9" * 30])
        word = self.rng.choice(["nope", "a,b", "=", "smile,", "\U0001f600", "rgb(1)", "#12"])
        words = self.rng.choice(
            [
                ["animate", saved, "--drive", name, "--size", "64", "--out", f"{out}.mp4"],
                ["animate", saved, "--parts", word, "--size", "64", "--out", f"{out}.mp4"],
                ["animate", saved, "--seconds", number, "--size", "64", "--out", f"{out}.mp4"],
                ["animate", saved, "--drive", name, "--rate", number, "--out", f"{out}.webm"],
                ["animate", name, "--size", "64", "--seconds", "0.1", "--out", f"{out}.gif"],
                ["sheet", saved, "--targets", name, "--out", f"{out}.png"],
                ["sheet", saved, "--expressions", word, "--size", "64", "--out", f"{out}.png"],
                ["sheet", saved, "--expressions", "smile", "--yaw", number, "--out", f"{out}.png"],
                ["warp", saved, "--background", name, "--size", "64", "--out", f"{out}.png"],
                ["warp", saved, "--background", word, "--size", "64", "--out", f"{out}.png"],
                ["presets", name, "--out", f"{out}.png"],
                ["dataset", "build", name, "--out", out],
                ["dataset", "build", str(place), "--sources", name, "--out", out],
                ["dataset", "build", str(place), "--min-photos", number, "--out", out],
                ["dataset", "add", str(place), name],
                ["dataset", "check", name],
                ["dataset", "report", name],
                ["dataset", "forget", name, "--person", word],
            ]
        )
        named = [Path(entry).name for entry in words[1:] if entry not in (out, "--out", saved)]
        known = ["--", word, "Usage", "preset", "yaw"]
        self.run(words, named=[*filter(None, named), *known], place=place)
        self._try_moving_call(bad)

    def _try_moving_call(self, bad: Path) -> None:
        from hifi_portrait import Background
        from hifi_portrait.motion import Motion, idle, key_frames, read_arkit

        value = self.rng.choice(VALUES)
        self.call(lambda: Background.of(value), [""])
        self.call(lambda: idle(value), ["duration"])
        self.call(lambda: key_frames([(value, "smile"), (1, value)]), [""])
        self.call(lambda: Motion.load(bad), [bad.name])
        self.call(lambda: read_arkit(bad), [bad.name])

    def _try_target(self, place: Path) -> None:
        from hifi_portrait import Framing, Target

        field = self.rng.choice(
            ["expression", "pose", "gaze", "framing", "glasses", "hair", "clothes", "yaw", "pitch", "roll"]
        )
        value = self.rng.choice(VALUES)
        self.call(lambda: Target(**{field: value}), [field, "expression", "preset", "colour", "yaw"])
        self.call(lambda: Framing(scale=value), ["framing", "scale"])
        self.call(lambda: Target({"jawOpen": value}), ["jawOpen"])

    def _try_call(self, place: Path) -> None:
        from hifi_portrait import Identity, Target, analyse
        from hifi_portrait.pipeline.options import KEYWORDS, settle
        from hifi_portrait.pipeline.request import read_generator

        defaults = {"default_steps": 3, "default_guidance": 2.0, "default_warp_strength": 0.5} | {
            "default_warp_grain": 1.0,
            "default_upscale": 1,
            "default_prompt_scale": 1.0,
        }
        value, name = self.rng.choice(VALUES), self.rng.choice(sorted(set(KEYWORDS) - {"guides"}))
        self.call(lambda: settle([None] * 5, {name: value}, defaults, 256), [name])
        self.call(lambda: read_generator(value, 2), ["generator"])
        self.call(lambda: self.identity.warp(Target(), value), ["size"])
        self.call(lambda: Identity.from_photos(value), [""])
        self.call(lambda: analyse(value), [""])
        path = self.bad_file(place)
        self.call(lambda: Identity.load(path), [path.name, "damaged"])

    def call(self, function: Callable[[], object], named: list[str]) -> None:
        """Call a function, which may work or raise an error that names one of the words."""
        from hifi_portrait import HiFiPortraitError

        try:
            function()
        except (HiFiPortraitError, ValueError, TypeError) as error:
            if not any(word in str(error) for word in named):
                raise Fault(f"{error!r} names none of {named}") from error
        except Fault:
            raise
        except Exception as error:
            raise Fault(f"{type(error).__name__}: {error}") from error

    def run(self, words: list[str], named: list[str], place: Path) -> None:
        """Run a command, and check its answer, its inputs and its outputs."""
        before = _hashes(place)
        result = CliRunner().invoke(self.app, words)
        said = f"{words}: exit {result.exit_code}, {result.stderr.strip()[-300:]!r}"
        if result.exit_code not in (0, 2):
            raise Fault(said)
        if "Traceback" in result.stderr or (
            result.exit_code == 2 and not any(w in result.stderr for w in named)
        ):
            raise Fault(said)
        after = _hashes(place)
        if any(after.get(path) != digest for path, digest in before.items()):
            raise Fault(f"{said}: an input changed")
        for path in after.keys() - before.keys():
            if path.suffix == ".partial" or (result.exit_code == 2 and not path.is_dir()):
                raise Fault(f"{said}: {path.name} was left")


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _hashes(folder: Path) -> dict[Path, str]:
    return {path: _hash(path) for path in folder.rglob("*") if path.is_file()}


if __name__ == "__main__":
    main()
