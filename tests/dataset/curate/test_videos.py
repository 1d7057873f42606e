"""Videos among the sources: frames, tracks, who is in them, and how they are forgotten."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from hifi_portrait.dataset.curate import (
    BuildOptions,
    add_to_dataset,
    build_dataset,
    check_dataset,
    forget,
)
from hifi_portrait.dataset.curate.duplicates import DuplicateOptions, find_duplicates
from hifi_portrait.dataset.curate.grouping import GroupingOptions
from hifi_portrait.dataset.curate.sources import InputFile
from hifi_portrait.dataset.curate.state import Batch, State, without_trace
from hifi_portrait.dataset.curate.tracks import TrackOptions, find_repeats
from hifi_portrait.dataset.curate.videos import VideoOptions
from hifi_portrait.dataset.format import IDDataset
from hifi_portrait.dataset.tables import read_columns
from hifi_portrait.errors import MissingExtraError
from hifi_portrait.io.video_writer import VideoWriter

PICTURES = Path(__file__).parents[2] / "pictures"
SOURCE = '[[source]]\nname = "clips"\npath = "."\nlicence = "CC0-1.0"\nconsent = "synthetic"\n'
OPTIONS = BuildOptions(
    names="none", video=VideoOptions(spacing=0.5), grouping=GroupingOptions(purity="balanced")
)


def picture(name: str) -> np.ndarray:
    return np.asarray(Image.open(PICTURES / f"person_{name}.jpg").convert("RGB").resize((256, 256)))


def write(file: Path, *parts: np.ndarray) -> None:
    """A second of each picture, which moves a little."""
    with VideoWriter(file, frame_rate=4) as video:
        for part in parts:
            wider = (512 - part.shape[1]) // 2
            part = np.pad(part, ((0, 0), (wider, wider), (0, 0)), mode="edge")
            for n in range(4):
                video.write(np.roll(part, 3 * n, 1))


def tracks_of(folder: Path) -> dict[tuple[str, int], list[float]]:
    """File and track -> times of its faces."""
    found: dict[tuple[str, int], list[float]] = {}
    for table in sorted((folder / "work" / "faces").glob("*.parquet")):
        for row in read_columns(table, ("original", "track", "frame", "face")).to_pylist():
            if row["track"] is not None:
                found.setdefault((row["original"], row["track"]), []).append(row["frame"])
    return found


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clips")
    one, other = picture("a_1"), picture("b_1")
    write(folder / "talk.mp4", one, other, np.concatenate([one, picture("b_2")], 1))
    write(folder / "later.webm", picture("a_2"))
    write(folder / "blank.mp4", np.full((128, 128, 3), 90, np.uint8))
    (folder / "broken.mp4").write_bytes((folder / "talk.mp4").read_bytes()[:500])
    (folder / "sources.toml").write_text(SOURCE)
    return folder


@pytest.fixture(scope="module")
def built_of_clips(clips: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("built") / "set"
    build_dataset([clips], out, options=OPTIONS, workers=0)
    return out


@pytest.mark.slow
def test_a_track_ends_where_the_video_is_cut(built_of_clips: Path):
    tracks = tracks_of(built_of_clips)
    parts = {key: {int(time) for time in times} for key, times in tracks.items()}
    assert all(len(each) == 1 for each in parts.values())
    assert sorted(min(parts[key]) for key in parts if key[0] == "talk.mp4") == [0, 1, 2, 2]
    assert all(len(times) == 2 for times in tracks.values())


@pytest.mark.slow
def test_a_person_in_several_videos_is_one(built_of_clips: Path):
    photos = IDDataset(built_of_clips)
    seen = [
        {(photos.entry(row).original, int(photos.entry(row).frame)) for row in rows}
        for rows in photos.identities.values()
    ]
    assert sorted(seen, key=len) == [
        {("talk.mp4", 1), ("talk.mp4", 2)},
        {("talk.mp4", 0), ("talk.mp4", 2), ("later.webm", 0)},
    ]


@pytest.mark.slow
def test_a_row_says_which_frame_it_is_and_a_set_of_frames_passes_the_check(built_of_clips: Path):
    records = list(IDDataset(built_of_clips))
    assert all(record.frame is not None and record.sitting is not None for record in records)
    assert len({record.sitting for record in records}) >= 4
    assert all("folders" not in record.attributes for record in records)
    assert check_dataset(built_of_clips) == []


@pytest.mark.slow
def test_videos_that_give_nothing_are_rejected_by_name(built_of_clips: Path):
    rows = State.read(built_of_clips).rows(built_of_clips, "rejected")
    whole = {row["original"]: row["reason"] for row in rows if row["face"] is None}
    assert whole == {"blank.mp4": "no_face", "broken.mp4": "unreadable"}
    repeats = [row for row in rows if row["reason"] == "near_duplicate"]
    assert repeats and all(row["frame"] is not None and " at " in row["detail"] for row in repeats)


@pytest.mark.slow
def test_who_is_forgotten_is_so_in_all_frames_of_the_tracks(
    clips: Path, built_of_clips: Path, tmp_path: Path
):
    copy = shutil.copytree(built_of_clips, tmp_path / "set")
    photos = IDDataset(copy)
    [name] = [name for name, rows in photos.identities.items() if len(rows) == 2]
    forget(copy, people=[name])
    assert {
        int(time) for (file, _), times in tracks_of(copy).items() for time in times if file[0] == "t"
    } == {0}
    assert check_dataset(copy) == []
    (tmp_path / "again").mkdir()
    shutil.copy(clips / "talk.mp4", tmp_path / "again" / "copy.mp4")
    (tmp_path / "again" / "sources.toml").write_text(SOURCE)
    add_to_dataset(copy, [tmp_path / "again"], options=OPTIONS, workers=0)
    assert {
        int(time) for (file, _), times in tracks_of(copy).items() for time in times if file[0] == "c"
    } == {0}
    assert check_dataset(copy) == []


@pytest.mark.slow
def test_a_video_that_is_forgotten_does_not_come_back(clips: Path, built_of_clips: Path, tmp_path: Path):
    copy = shutil.copytree(built_of_clips, tmp_path / "set")
    forget(copy, photos=["talk.mp4"])
    assert {file for file, _ in tracks_of(copy)} == {"later.webm"}
    assert check_dataset(copy) == []
    (tmp_path / "again").mkdir()
    shutil.copy(clips / "talk.mp4", tmp_path / "again" / "x.mp4")
    (tmp_path / "again" / "sources.toml").write_text(SOURCE)
    result = add_to_dataset(copy, [tmp_path / "again"], options=OPTIONS, workers=0)
    assert result.reasons["forgotten"] == 1


@pytest.mark.slow
def test_a_video_made_by_this_package_is_left_out(tmp_path: Path):
    folder = tmp_path / "clips"
    folder.mkdir()
    with VideoWriter(folder / "a.mp4", frame_rate=4, record={"seed": 1}) as video:
        video.write(picture("a_1"))
    (folder / "sources.toml").write_text(SOURCE)
    result = build_dataset([folder], tmp_path / "set", options=OPTIONS, workers=0)
    assert result.reasons == {"made_here": 1}


def test_videos_need_their_extra_before_anything_is_read(clips: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"hifi-portrait\[video\]"):
        build_dataset([clips], tmp_path / "set", options=OPTIONS, workers=0)
    assert not list((tmp_path / "set" / "work" / "faces").iterdir())


def test_each_video_is_a_shard_of_the_first_stage_also_when_it_was_forgotten():
    files = [InputFile(f"/x/{name}", name, "s", "") for name in ("a.jpg", "b.jpg", "c.mp4", "d.MOV", "e.jpg")]
    shards = Batch(number=2, sources=[], files=files).shards()
    assert [[file.original for file in part] for _, part in shards] == [
        ["a.jpg", "b.jpg"],
        ["c.mp4"],
        ["d.MOV"],
        ["e.jpg"],
    ]
    left = Batch(number=2, sources=[], files=[without_trace(file) for file in files]).shards()
    assert [(name, len(part)) for name, part in left] == [(name, len(part)) for name, part in shards]


def test_frames_of_a_track_that_look_alike_are_repeats_of_the_best_one(make_faces):
    vectors = np.ones((4, 8)) / np.sqrt(8)
    shapes = np.zeros((4, 80, 2), np.float32)
    shapes[2, :, 1] += 3  # the mouth has opened
    same = np.zeros((4, 32), np.uint8)
    faces = make_faces(
        vectors,
        track=["v#0"] * 4,
        frame=[0.0, 1.0, 2.0, 3.0],
        original=["v.mp4"] * 4,
        area=np.array([100, 200, 100, 100]),
        shapes=shapes,
        pdq=same,
        chip_pdq=same,
    )
    repeats = find_repeats(faces, TrackOptions())
    assert sorted(repeats) == [0, 3]
    assert repeats[0].detail == "v.mp4 at 1.000 s"
    found = find_duplicates(faces, DuplicateOptions(), repeats)
    assert sorted(found) == [0, 3]  # pictures alike, but another expression
