"""Times and memory."""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
from common import call, cpu, new_source, write_folders

from hifi_portrait.dataset.curate import BuildOptions, build_dataset
from hifi_portrait.dataset.curate.calibration import Calibration
from hifi_portrait.dataset.curate.grouping import GroupingOptions, group_faces
from hifi_portrait.dataset.format import IDDataset


def scale(arguments: argparse.Namespace) -> dict[str, object]:
    """Group simulated faces: times and memory count, not who is with whom."""
    rng = np.random.default_rng(0)
    count = arguments.count
    centres = rng.normal(size=(count // 10, 128))
    vectors = centres[np.repeat(np.arange(count // 10), 10)] + 0.35 * rng.normal(size=(count, 128))
    vectors = vectors @ np.diag(np.linspace(1, 0.2, 128)) + 3.5
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    started, used = time.monotonic(), cpu()
    found = group_faces(vectors, np.arange(count), [""] * count, Calibration.of("dlib"), GroupingOptions())
    return {
        "faces": count,
        "seconds": round(time.monotonic() - started, 1),
        "cpu_seconds": round(cpu() - used, 1),
        "peak_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "groups": int(found.person.max()) + 1,
    }


def throughput(arguments: argparse.Namespace) -> dict[str, object]:
    """Measure seconds of CPU a photo, all steps, without loading the models; and two workers against one.

    What loading takes falls out between a run on ten photos and one on all. Two workers are compared with one
    by the clock, one after the other in turns, which says something on a quiet machine only.
    """
    files = sorted(arguments.photos.glob("*/*.jpg"))[: arguments.count]
    few = _some_photos(files[:10], arguments.work / "speed-few")
    all_of_them = _some_photos(files, arguments.work / "speed-all")
    more = len(files) - 10
    seconds = [_cpu_of_build(each, arguments.work / "speed-set") for each in (few, all_of_them)]
    found: dict[str, object] = {
        "cpu_ms_a_photo": round(1000 * (seconds[1] - seconds[0]) / more, 1),
        "photos_a_second_a_core": round(more / (seconds[1] - seconds[0]), 1),
    }
    if arguments.workers:
        walls: dict[int, list[float]] = {1: [], 2: []}
        for _ in range(arguments.turns):
            for workers, times in walls.items():
                spent = []
                for each in (few, all_of_them):
                    shutil.rmtree(arguments.work / "speed-set", ignore_errors=True)
                    started = time.monotonic()
                    words = ("build", each, "--names", "none", "--workers", workers, "--json")
                    subprocess.run(
                        call(*words, "--out", arguments.work / "speed-set"),
                        check=True,
                        stdout=subprocess.DEVNULL,
                    )
                    spent.append(time.monotonic() - started)
                times.append(spent[1] - spent[0])
        found["two_workers_to_one"] = round(float(np.median(walls[1]) / np.median(walls[2])), 2)
        found["seconds"] = {number: [round(each, 1) for each in times] for number, times in walls.items()}
    return found


def _cpu_of_build(source: Path, out: Path) -> float:
    shutil.rmtree(out, ignore_errors=True)
    before = cpu()
    build_dataset([source], out, options=BuildOptions(names="none"), workers=0)
    return cpu() - before


def _some_photos(files: list[Path], folder: Path) -> Path:
    new_source(folder)
    for file in files:
        shutil.copy(file, folder / f"{file.parent.name}-{file.name}")
    return folder


def memory(arguments: argparse.Namespace) -> dict[str, object]:
    """Compare the peak memory of the driver and of a worker on some photos and on ten times as many.

    Each photo must be another one: copies are rejected, and never come to the second stage.
    """
    found: dict[str, object] = {}
    photos = IDDataset(arguments.data)
    if len(photos) < arguments.count:
        raise SystemExit(
            f"{arguments.data} has {len(photos)} photos: --count {arguments.count} needs as many"
        )
    for count in (arguments.count // 10, arguments.count):
        folder, out = arguments.work / f"memory-{count}", arguments.work / "memory-set"
        write_folders(arguments.data, folder, most=count)
        shutil.rmtree(out, ignore_errors=True)
        words = ("build", folder, "--workers", max(arguments.workers, 1), "--json", "--out", out)
        process = subprocess.Popen(call(*words), stdout=subprocess.DEVNULL)
        peaks: dict[int, int] = {}
        while process.poll() is None:
            for pid in (process.pid, *_children(process.pid)):
                peaks[pid] = max(peaks.get(pid, 0), _peak_kib(pid))
            time.sleep(0.2)
        driver = peaks.pop(process.pid)
        found[str(count)] = {"driver_mib": driver // 1024, "worker_mib": max(peaks.values()) // 1024}
    few, many = found.values()
    return found | {
        name.removesuffix("_mib"): round(many[name] / few[name], 3)  # type: ignore[index]  # dicts, as above
        for name in ("driver_mib", "worker_mib")
    }


def _children(pid: int) -> list[int]:
    try:
        return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def _peak_kib(pid: int) -> int:
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0)
