"""Kill commands at random moments (SIGKILL): old files stay whole, and a rerun ends as if nothing had been.

    python scripts/kill_at_random.py --moments 20

Each command runs once undisturbed, which gives its result and how long it takes. Then it is started again and
again, in a process forked from this one, killed at a random moment of that time, and run to its end. What is
wrong: a file that is neither the old nor the new one, whole; a result that differs; something left beside it.
Of training the weights are compared, for its log has times in it.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
PHOTO = ROOT / "tests/pictures/person_a_1.jpg"


@dataclass(frozen=True, kw_only=True)
class Command:
    """A command that writes one file or folder."""

    words: list[str]
    out: str
    """Name of what it writes, in the folder that it runs in."""
    replaces: bool = False
    """Whether there is an old file in the place of what it writes."""
    compared: str = "*"
    """Which files of a folder must be equal."""


COMMANDS = {
    "generate": Command(words=["generate", "person.safetensors", "--steps", "2"], out="a.png", replaces=True),
    "animate": Command(
        words=["animate", "person.safetensors", "--seconds", "1", "--size", "128", "--quality", "head"],
        out="a.mp4",
        replaces=True,
    ),
    "identity": Command(words=["identity", str(PHOTO)], out="a.safetensors", replaces=True),
    "people": Command(
        words=["people", "--count", "2", "--photos", "2", "--size", "64", "--workers", "1"], out="people"
    ),
    "prepare": Command(words=["prepare", "--data", "data", "--size", "tiny", "--workers", "1"], out="ready"),
    "train": Command(
        words=["train", "autoencoder-tiny", "--data", "data", "--set", "autoencoder.held_out=1"],
        out="run",
        compared="*.safetensors",
    ),
}


def main() -> None:
    """Kill each command so often; exit code 1 if something was wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moments", type=int, default=20, help="How often each command is killed.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=COMMANDS, action="append", help="Which commands.")
    options = parser.parse_args()
    import_all()
    faults = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for words in (
            ["identity", str(PHOTO), "--out", "person.safetensors"],
            ["people", "--count", "3", "--photos", "2", "--size", "64", "--workers", "1", "--out", "data"],
        ):
            finish(start(words))
        for name in options.only or COMMANDS:
            rng = random.Random(f"{options.seed} {name}")
            wrong = try_command(COMMANDS[name], options.moments, rng)
            faults += len(wrong)
            print(f"{name}: killed at {options.moments} moments, {len(wrong)} faults", *wrong, sep="\n  ")
    sys.exit(1 if faults else 0)


def import_all() -> None:
    """Import what the commands import, so that a forked process is at its work at once."""
    import hifi_portrait.synthetic
    import hifi_portrait.training.data.prepare  # noqa: F401
    from hifi_portrait import FaceAnalyser, HiFiPortraitPipeline, Identity  # noqa: F401
    from hifi_portrait.cli.app import app  # noqa: F401


def start(words: list[str]) -> int:
    """Start a command in a process of its own, silently: the process."""
    process = os.fork()
    if process:
        return process
    code = 1
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        if not os.environ.get("HIFI_PORTRAIT_DEBUG"):
            os.dup2(nowhere, 2)
        from hifi_portrait.cli.app import app

        app(words)
    except SystemExit as end:
        code = int(end.code or 0)
    finally:
        os._exit(code)


def finish(process: int) -> None:
    """Wait for a command's end, which must be a good one."""
    _, status = os.waitpid(process, 0)
    if status:
        raise SystemExit(f"a command ended with status {status}; HIFI_PORTRAIT_DEBUG=1 shows why")


def try_command(command: Command, moments: int, rng: random.Random) -> list[str]:
    """Kill a command at so many moments: what was wrong."""
    out = Path(command.out)
    words = [*command.words, "--out", command.out]
    begun = time.perf_counter()
    finish(start(words))
    seconds = time.perf_counter() - begun
    expected = contents(out, command.compared)
    wrong = []
    for _ in range(moments):
        _delete(out)
        if command.replaces:
            out.write_bytes(b"the old file")
        old = contents(out, command.compared) if command.replaces else {}
        before = set(os.listdir())
        moment = rng.uniform(0, seconds)
        process = start(words)
        time.sleep(moment)
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        if command.replaces and contents(out, command.compared) not in (old, expected):
            wrong.append(f"at {moment:.2f} s: {out} is neither the old nor the new file")
        finish(start(words))
        if contents(out, command.compared) != expected:
            wrong.append(f"at {moment:.2f} s: the rerun ends differently")
        left = set(os.listdir()) - before - {command.out}
        if left or any(path.name.endswith(".partial") for path in out.rglob("*")):
            wrong.append(f"at {moment:.2f} s: something was left behind: {left or out}")
    return wrong


def contents(path: Path, pattern: str) -> dict[str, str]:
    """Hash of each file of a folder, or of the file itself, by name."""
    files = [path] if path.is_file() else [file for file in path.rglob(pattern) if file.is_file()]
    return {str(file): hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
