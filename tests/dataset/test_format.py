import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import textwrap
import tracemalloc
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from hifi_portrait.dataset.format import (
    IDDataset,
    IDDatasetWriter,
    PhotoAnalysis,
    PhotoRecord,
    sample_pairs,
    split_of,
    write_analysis,
)
from hifi_portrait.dataset.tables import PHOTO_SCHEMA, shards, write_header, write_table
from hifi_portrait.errors import DatasetError
from painted_heads import geometry


def photo(identity, number, *, jpeg_quality=None, size=(20, 12), **fields):
    height, width = size
    rng = np.random.default_rng([*identity.encode(), number])
    pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
    fields = {"identity_id": identity, "photo_id": str(number), **fields}
    return PhotoRecord.from_pixels(pixels, jpeg_quality=jpeg_quality, **fields)


def fill(path, identities=4, photos=3, **writer):
    with IDDatasetWriter(path, **writer) as dataset:
        for place in range(identities):
            name = f"person-{place}"
            dataset.add(name, [photo(name, number) for number in range(photos)])
    return path


def test_photos_come_back_as_they_were_written(tmp_path):
    written = photo("ann", 0, caption="a portrait", attributes={"hair": "red", "age": 40}, truth=geometry(20))
    with IDDatasetWriter(tmp_path) as dataset:
        dataset.add("ann", [written])
    read = IDDataset(tmp_path)[0]
    assert (read.image, read.caption, read.attributes) == (
        written.image,
        "a portrait",
        {"hair": "red", "age": 40},
    )
    assert (read.width, read.height) == (12, 20)
    for name in ("identity", "expression", "rotation", "translation", "gaze"):
        np.testing.assert_array_equal(getattr(read.truth, name), getattr(written.truth, name))
    assert read.truth.camera == written.truth.camera


def test_png_is_lossless_and_jpeg_is_near():
    assert np.array_equal(photo("a", 1).pixels(), photo("a", 1).pixels())
    smooth = np.tile(np.arange(0, 240, 4, dtype=np.uint8)[:, None, None], (1, 60, 3))
    record = PhotoRecord.from_pixels(smooth, jpeg_quality=95, identity_id="a", photo_id="0")
    assert np.abs(record.pixels().astype(int) - smooth).max() <= 3


def test_reading_follows_identity_and_photo_whatever_the_order_of_writing(tmp_path):
    with IDDatasetWriter(tmp_path, shard_photos=2) as dataset:
        for name in ("b", "a"):
            dataset.add(name, [photo(name, number) for number in (1, 0)])
    assert [(r.identity_id, r.photo_id) for r in IDDataset(tmp_path)] == [
        ("a", "0"), ("a", "1"), ("b", "0"), ("b", "1")
    ]  # fmt: skip


def test_identities_never_span_shards(tmp_path):
    fill(tmp_path, identities=5, photos=3, shard_photos=4)
    seen = [set(IDDataset(tmp_path, shard=shard).identities) for shard in shards(tmp_path)]
    assert len(seen) == 3
    assert sum(map(len, seen)) == len(set.union(*seen)) == 5


def test_several_writers_fill_one_folder(tmp_path):
    for name in ("w0", "w1"):
        with IDDatasetWriter(tmp_path, name=name) as dataset:
            dataset.add(name, [photo(name, 0)])
    assert set(IDDataset(tmp_path).identities) == {"w0", "w1"}
    assert json.loads((tmp_path / "dataset.json").read_text())["counts"] == {
        "identities": 2,
        "photos": 2,
        "shards": 2,
    }


def test_killed_writer_goes_on_from_the_last_finished_shard(tmp_path):
    script = """
        import os, signal, sys
        sys.path.insert(0, sys.argv[2])
        from test_format import photo
        from hifi_portrait.dataset.format import IDDatasetWriter
        writer = IDDatasetWriter(sys.argv[1], shard_photos=2)
        for name in ("a", "b", "c"):
            writer.add(name, [photo(name, 0)])
        os.kill(os.getpid(), signal.SIGKILL)
    """
    paths = [str(tmp_path), str(Path(__file__).parent)]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script), *paths], env=environment, check=False
    )
    assert result.returncode == -signal.SIGKILL
    writer = IDDatasetWriter(tmp_path, shard_photos=2)
    assert writer.complete == {"a", "b"}
    with writer:
        writer.add("c", [photo("c", 0)])
    assert [record.image for record in IDDataset(tmp_path)] == [photo(n, 0).image for n in "abc"]


def test_an_identity_cannot_be_added_twice(tmp_path):
    with IDDatasetWriter(tmp_path) as writer:
        writer.add("a", [photo("a", 0)])
        with pytest.raises(DatasetError, match="already"):
            writer.add("a", [photo("a", 1)])


def test_photos_of_another_identity_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="'a'"):
        IDDatasetWriter(tmp_path).add("a", [photo("b", 0)])


def test_analysis_comes_back_as_it_was_written(tmp_path):
    fill(tmp_path, identities=1, photos=2)
    found = PhotoAnalysis(
        found=True,
        landmarks=np.random.default_rng(0).normal(size=(478, 3)).astype(np.float32),
        crop_transform=np.diag([2.0, 2, 1]),
        crop_size=8,
        embedding=np.full(128, 128**-0.5, np.float32),
        quality=0.5,
        matte=np.linspace(0, 1, 64).reshape(8, 8).astype(np.float32),
        fit=geometry(-10),
        residual=0.25,
    )
    missing = PhotoAnalysis(found=False, reason="no face was found")
    write_analysis(tmp_path, shards(tmp_path)[0], [("person-0", "0", found), ("person-0", "1", missing)])
    first, second = (record.analysis for record in IDDataset(tmp_path))
    np.testing.assert_array_equal(first.landmarks, found.landmarks)
    np.testing.assert_allclose(first.matte, found.matte, atol=0.5 / 255 + 1e-6)
    np.testing.assert_array_equal(first.fit.identity, found.fit.identity)
    assert (first.crop_size, first.quality, first.residual) == (8, 0.5, 0.25)
    assert (second.found, second.reason) == (False, "no face was found")


def test_splits_share_no_identity_and_lose_none(tmp_path):
    fill(tmp_path, identities=60, photos=1)
    splits = [set(IDDataset(tmp_path, split=name).identities) for name in ("train", "validation", "test")]
    assert sum(map(len, splits)) == len(set.union(*splits)) == 60


def test_the_split_of_an_identity_never_changes():
    """Who was trained on once must not be tested on later, so that these are recorded."""
    recorded = {
        "train": ["ann", "person-0", "person-00000007"],
        "validation": ["person-00000028", "person-00000056", "person-00000061"],
        "test": ["person-00000024", "person-00000047", "person-00000052"],
    }
    for name, ids in recorded.items():
        assert [split_of(identity) for identity in ids] == [name] * len(ids)


def test_split_fractions_are_about_96_2_2_percent():
    names = [split_of(f"person {n}") for n in range(5000)]
    assert [round(names.count(n) / 50) for n in ("train", "validation", "test")] == [96, 2, 2]


def test_unknown_split_is_named(tmp_path):
    fill(tmp_path)
    with pytest.raises(DatasetError, match="'val'"):
        IDDataset(tmp_path, split="val")


def test_target_is_never_a_reference_and_all_are_one_person(tmp_path):
    dataset = IDDataset(fill(tmp_path, photos=5))
    pairs = dataset.pairs(np.random.default_rng(0), (1, 8))
    for _ in range(40):
        references, target = next(pairs)
        assert {r.identity_id for r in references} == {target.identity_id}
        assert target.photo_id not in {r.photo_id for r in references}
        assert len({r.photo_id for r in references}) == len(references)


def test_number_of_references_takes_every_value_of_its_range():
    pairs = sample_pairs([list(range(12))], np.random.default_rng(0), (1, 8))
    assert {len(next(pairs)[0]) for _ in range(200)} == set(range(1, 9))


def test_pairs_follow_the_seed():
    groups = [list(range(6)), list(range(6, 12))]
    first, second = (sample_pairs(groups, np.random.default_rng(5)) for _ in range(2))
    assert [next(first) for _ in range(20)] == [next(second) for _ in range(20)]


def test_pairs_leave_out_unusable_photos():
    pairs = sample_pairs([[0, 1, 2], [3, 4]], np.random.default_rng(0), usable=lambda i: i not in (1, 3))
    used = set()
    for _ in range(20):
        references, target = next(pairs)
        used |= {*references, target}
    assert used == {0, 2}


def test_pairs_need_an_identity_with_two_photos():
    with pytest.raises(DatasetError, match="two usable photos"):
        next(sample_pairs([[0], [1]], np.random.default_rng(0)))


def test_folder_without_a_data_set_is_named(tmp_path):
    with pytest.raises(DatasetError, match=str(tmp_path)):
        IDDataset(tmp_path)


def test_other_version_is_refused(tmp_path):
    fill(tmp_path)
    header = json.loads((tmp_path / "dataset.json").read_text()) | {"version": 99}
    (tmp_path / "dataset.json").write_text(json.dumps(header))
    with pytest.raises(DatasetError, match="99"):
        IDDataset(tmp_path)


def test_damaged_table_is_named(tmp_path):
    fill(tmp_path)
    table = next((tmp_path / "photos").glob("*.parquet"))
    table.write_bytes(b"not a table")
    with pytest.raises(DatasetError, match=table.name):
        IDDataset(tmp_path)


def test_missing_shard_is_named(tmp_path):
    fill(tmp_path)
    shard = next((tmp_path / "images").glob("*.tar"))
    shard.unlink()
    with pytest.raises(DatasetError, match=shard.name):
        IDDataset(tmp_path)[0]


def test_truncated_shard_is_named(tmp_path):
    fill(tmp_path, identities=1, photos=1)
    shard = next((tmp_path / "images").glob("*.tar"))
    shard.write_bytes(shard.read_bytes()[:600])
    with pytest.raises(DatasetError, match="shorter"):
        IDDataset(tmp_path)[0]


def test_a_set_of_version_1_is_read():
    records = list(IDDataset(Path(__file__).parent / "version_1"))
    assert [(r.identity_id, r.photo_id, r.caption) for r in records] == [
        ("a", "0", "a 0"), ("a", "1", "a 1"), ("b", "0", "b 0"), ("b", "1", "b 1")
    ]  # fmt: skip
    last = records[3]
    assert last.pixels().shape == (12, 20, 3) and (last.pixels() == 50).all()
    assert (last.face, last.box, last.source, last.sitting) == (0, None, "", None)
    np.testing.assert_array_equal(last.analysis.embedding, np.eye(128, dtype=np.float32)[1])
    np.testing.assert_array_equal(last.analysis.landmarks, np.full((478, 3), 1, np.float32))


def test_where_a_photo_comes_from_is_kept(tmp_path):
    given = {"face": 2, "source": "album", "original": "IMG 7.jpg", "frame": 1.5, "sitting": 4}
    written = photo("ann", 0, box=np.array([1, 2, 3, 4]), **given)
    with IDDatasetWriter(tmp_path) as dataset:
        dataset.add("ann", [written])
    read = IDDataset(tmp_path)[0]
    assert {name: getattr(read, name) for name in given} == given
    np.testing.assert_array_equal(read.box, [1, 2, 3, 4])
    assert read.sha256 == sha256(written.image).hexdigest()


@pytest.mark.parametrize(("kind", "suffix"), [("WEBP", "webp"), ("AVIF", "avif"), ("JPEG", "jpg")])
def test_a_picture_in_a_shard_is_named_by_its_true_format(tmp_path, kind, suffix):
    stream = io.BytesIO()
    Image.new("RGB", (40, 40), "red").save(stream, kind)
    with IDDatasetWriter(tmp_path) as dataset:
        dataset.add("a", [PhotoRecord(identity_id="a", photo_id="0", image=stream.getvalue())])
    with tarfile.open(next((tmp_path / "images").glob("*.tar"))) as shard:
        assert shard.getnames() == [f"a/0.{suffix}"]
    assert IDDataset(tmp_path).pixels(0).shape == (40, 40, 3)


def test_embeddings_of_any_width_are_kept_with_their_recogniser(tmp_path):
    fill(tmp_path, identities=1, photos=1)
    found = PhotoAnalysis(
        found=True,
        landmarks=np.zeros((478, 3)),
        crop_transform=np.eye(3),
        crop_size=8,
        embedding=np.arange(512),
        recogniser="other",
        matte=np.zeros((8, 8), np.float32),
    )
    write_analysis(tmp_path, shards(tmp_path)[0], [("person-0", "0", found)])
    read = IDDataset(tmp_path)[0].analysis
    np.testing.assert_array_equal(read.embedding, np.arange(512))
    assert read.recogniser == "other"


def test_opening_a_large_set_takes_little_memory(tmp_path):
    """Captions and analyses stay on disk: 20,000 photos, of which each row has 2 KB, are opened."""
    rows = [
        dict.fromkeys(PHOTO_SCHEMA.names)
        | {
            "identity_id": f"person-{n // 5:06d}",
            "photo_id": str(n % 5),
            "shard": "a",
            "offset": 0,
            "size": 1,
            "caption": f"{n:2000d}",
            "attributes": "{}",
        }
        for n in range(20_000)
    ]
    (tmp_path / "photos").mkdir()
    write_table(tmp_path / "photos" / "a.parquet", rows, PHOTO_SCHEMA)
    del rows
    write_header(tmp_path)
    tracemalloc.start()
    arrow = pa.total_allocated_bytes()
    dataset = IDDataset(tmp_path)
    used = tracemalloc.get_traced_memory()[0] + pa.total_allocated_bytes() - arrow
    tracemalloc.stop()
    assert len(dataset) == 20_000
    assert used < 200 * 2**20 / 5
    assert dataset.entry(19_999).caption.strip() == "19999"
