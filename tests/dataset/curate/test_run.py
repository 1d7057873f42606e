import json
import shutil
import subprocess
from pathlib import Path

import mlcroissant
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from hifi_portrait.dataset.curate import (
    BuildOptions,
    add_to_dataset,
    build_dataset,
    check_dataset,
    estimate_build,
    forget,
    kept_options,
    write_report,
)
from hifi_portrait.dataset.curate.calibration import Calibration
from hifi_portrait.dataset.curate.grouping import GroupingOptions
from hifi_portrait.dataset.curate.state import State
from hifi_portrait.dataset.format import IDDataset
from hifi_portrait.dataset.tables import read_columns
from hifi_portrait.errors import DatasetError
from hifi_portrait.training.data.prepare import prepare

pytestmark = pytest.mark.slow

SOURCE = '[[source]]\nname = "more"\npath = "."\nlicence = "CC0-1.0"\nconsent = "synthetic"\n'


def reasons(folder: Path) -> dict[tuple[str, int | None], str]:
    state = State.read(folder)
    return {(row["original"], row["face"]): row["reason"] for row in state.rows(folder, "rejected")}


def contents(folder: Path) -> dict[str, bytes]:
    """All files of a set, but for what it was told of its place."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return {str(file.relative_to(folder)): file.read_bytes() for file in files}


def test_people_of_named_folders_are_written_and_all_else_is_rejected_by_name(built: Path):
    photos = IDDataset(built)
    found = {(record.original, record.face) for record in photos}
    assert found == {("a/1.jpg", 0), ("a/2.jpg", 0), ("b/1.jpg", 0), ("b/2.jpg", 0)}
    assert len(photos.identities) == 2
    rejected = reasons(built)
    assert rejected["a/copy.jpg", 0] == "near_duplicate"
    assert rejected["both.png", 0] == rejected["both.png", 1] == "near_duplicate"
    assert rejected["a/damaged.jpg", None] == "unreadable"
    assert rejected["notes.txt", None] == "unreadable"
    assert rejected["b/blank.png", None] == "no_face"


def test_a_row_says_where_its_photo_comes_from_and_which_face_is_meant(built: Path):
    record = IDDataset(built)[0]
    assert (record.source, record.analysis.recogniser) == ("album", "dlib")
    assert record.box is not None and record.caption.startswith("a photo of a person")
    assert record.analysis.fit is not None and record.analysis.residual < 0.12


def test_a_set_that_was_built_passes_the_check_and_trains(built: Path, tmp_path: Path):
    assert check_dataset(built) == []
    prepared = prepare(built, tmp_path / "prepared", model_size="tiny", workers=1)
    assert len(prepared) == len(IDDataset(built))


def test_a_damaged_picture_is_found_by_the_check(built: Path, tmp_path: Path):
    copy = shutil.copytree(built, tmp_path / "set")
    shard = next((copy / "images").glob("*.tar"))
    data = bytearray(shard.read_bytes())
    data[700] ^= 255
    shard.write_bytes(data)
    assert any("SHA-256" in wrong for wrong in check_dataset(copy))


@pytest.mark.parametrize("lost", ["dataset.json", "photos", "work/faces"])
def test_a_killed_build_goes_on_to_the_same_bytes(heap: Path, built: Path, tmp_path: Path, lost: str):
    """Killed before the header was written, before a shard was finished, or before the first stage was."""
    killed = shutil.copytree(built, tmp_path / "set")
    (killed / "dataset.json").unlink()
    if lost == "photos":
        for file in (killed / "photos").iterdir():
            file.unlink()
    if lost == "work/faces":
        for folder in ("work/faces", "work/fits", "photos", "analysis", "images"):
            shutil.rmtree(killed / folder)
    committed = [*killed.glob("photos/*.parquet"), *killed.glob("work/faces/*.parquet")]
    there = {file: file.stat().st_mtime_ns for file in committed}
    build_dataset([heap], killed, workers=0)
    assert {file: file.stat().st_mtime_ns for file in there} == there
    first, second = contents(built), contents(killed)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def test_a_finished_set_is_not_built_again(heap: Path, built: Path):
    with pytest.raises(DatasetError, match="dataset add"):
        build_dataset([heap], built, workers=0)


def test_people_keep_their_ids_when_photos_are_added(built: Path, tmp_path: Path):
    copy = shutil.copytree(built, tmp_path / "set")
    before = {record.sha256: record.identity_id for record in IDDataset(copy)}
    more = tmp_path / "more"
    more.mkdir()
    for number, file in enumerate(sorted((Path(__file__).parents[3] / "examples" / "person").glob("*.jpg"))):
        shutil.copy(file, more / f"{number}.jpg")
    (more / "sources.toml").write_text(SOURCE)
    result = add_to_dataset(copy, [more], workers=0)
    after = {record.sha256: record.identity_id for record in IDDataset(copy)}
    assert result.identities == 3
    assert {name: after[name] for name in before} == before
    assert check_dataset(copy) == []


@pytest.fixture
def half_damaged(tmp_path: Path) -> Path:
    """Two photos of a person, of which the second is damaged."""
    folder = tmp_path / "photos"
    folder.mkdir()
    (folder / "sources.toml").write_text(SOURCE)
    pictures = Path(__file__).parents[2] / "pictures"
    shutil.copy(pictures / "person_a_1.jpg", folder / "1.jpg")
    (folder / "2.jpg").write_bytes((pictures / "person_a_2.jpg").read_bytes()[:700])
    return folder


def test_a_file_that_was_mended_is_read_again(half_damaged: Path, tmp_path: Path):
    out = tmp_path / "set"
    first = build_dataset([half_damaged], out, workers=0)
    assert (first.photos, first.reasons) == (0, {"alone": 1, "unreadable": 1})
    shutil.copy(Path(__file__).parents[2] / "pictures" / "person_a_2.jpg", half_damaged / "2.jpg")
    with pytest.raises(DatasetError, match=r"'blurred' cannot be read again.*unreadable"):
        add_to_dataset(out, [], retry_rejected=["blurred"], workers=0)
    result = add_to_dataset(out, [], retry_rejected=["unreadable"], workers=0)
    assert (result.files, result.photos, result.reasons) == (2, 2, {})
    assert check_dataset(out) == []
    [table] = (out / "work" / "faces").iterdir()
    assert read_columns(table, ["original"])["original"].to_pylist() == ["1.jpg", "2.jpg"]


def test_a_dry_run_says_what_would_be_done(half_damaged: Path, tmp_path: Path):
    found = estimate_build([half_damaged])
    assert (found.photos, found.folders, found.looked_at, found.used) == (2, 1, 2, 1)
    assert found.reasons == {"unreadable": 1}
    assert found.seconds > 0 and found.size > 10_000
    assert sorted(each.name for each in tmp_path.iterdir()) == ["photos"]


def test_a_set_grows_by_the_options_that_it_was_built_by(built: Path, tmp_path: Path):
    assert kept_options(built) == BuildOptions(calibration=Calibration.of("dlib"))
    copy = shutil.copytree(built, tmp_path / "set")
    header = json.loads((copy / "dataset.json").read_text())
    header["build"]["options"] |= {
        "min_photos": 3,
        "exclude": ["evaluation"],
        "grouping": {"purity": "balanced", "forgotten_name": 1},
    }
    (copy / "dataset.json").write_text(json.dumps(header))
    with pytest.raises(DatasetError, match=r"evaluation.*--exclude"):
        kept_options(copy)
    with pytest.raises(DatasetError, match="default recogniser"):
        kept_options(copy, recogniser=tmp_path / "arcface.onnx", exclude=(tmp_path / "evaluation",))
    options = kept_options(copy, exclude=(tmp_path / "evaluation",))
    assert (options.min_photos, options.grouping) == (3, GroupingOptions(purity="balanced"))


def test_who_is_forgotten_leaves_no_trace_and_does_not_come_back(heap: Path, built: Path, tmp_path: Path):
    copy = shutil.copytree(built, tmp_path / "set")
    photos = IDDataset(copy)
    [name] = {record.identity_id for record in photos if record.original == "a/1.jpg"}
    gone = [photos[index] for index in photos.identities[name]]
    removed = forget(copy, people=[name])
    assert removed.photos >= len(gone)
    assert check_dataset(copy) == []
    assert {record.original for record in gone} == {"a/1.jpg", "a/2.jpg"}
    assert not {name for name, _ in reasons(copy)} & {"a/copy.jpg", "both.png"}
    left = IDDataset(copy)
    assert name not in left.identities
    files = [file.read_bytes() for file in copy.rglob("*") if file.is_file()]
    assert not any(record.image[1000:1100] in data for record in gone for data in files)
    for record in left:
        assert all(not np.allclose(record.analysis.embedding, g.analysis.embedding, atol=1e-6) for g in gone)
    again = tmp_path / "again"
    again.mkdir()
    (again / "x.jpg").write_bytes(gone[0].image)
    (again / "sources.toml").write_text(SOURCE)
    result = add_to_dataset(copy, [again], workers=0)
    assert result.reasons["forgotten"] == 1
    assert name not in IDDataset(copy).identities


def test_a_killed_forget_is_finished_by_the_next_call(built: Path, tmp_path: Path):
    """Killed right after the header was renamed: the old shards are still there."""
    copy = shutil.copytree(built, tmp_path / "set")
    photos = IDDataset(copy)
    name, other = list(photos.identities)
    forget(copy, people=[name])
    for folder in ("images", "photos", "analysis"):
        for file in (built / folder).iterdir():
            shutil.copy(file, copy / folder / file.name)
    assert any("belongs to no shard" in wrong for wrong in check_dataset(copy))
    forget(copy, people=[other])
    assert not list((copy / "images").iterdir())


def test_the_card_names_licence_consent_and_what_was_left_out(built: Path):
    card = (built / "README.md").read_text()
    assert "license: cc0-1.0" in card
    assert "| album | CC0-1.0 | synthetic |" in card
    assert "| `near_duplicate` |" in card


def test_the_card_for_machines_is_valid_croissant_with_responsible_ai(built: Path):
    card = mlcroissant.Dataset(jsonld=str(built / "croissant.json")).metadata
    assert not card.issues.errors
    assert [field.name for field in card.record_sets[0].fields][:2] == ["identity_id", "photo_id"]
    assert "Consent: synthetic" in card.personal_sensitive_information[0]
    assert "near_duplicate: 3" in card.data_preprocessing_protocol[0]
    assert card.data_release_maintenance_plan and card.data_limitations and card.data_use_cases


def test_heaps_without_names_are_grouped(heap: Path, tmp_path: Path):
    options = BuildOptions(names="none", grouping=GroupingOptions(purity="balanced"))
    result = build_dataset([heap], tmp_path / "set", options=options, workers=0)
    photos = IDDataset(tmp_path / "set")
    assert result.identities == len(photos.identities) == 2
    for rows in photos.identities.values():
        assert len({photos[row].original.split("/")[0] for row in rows} - {"both.png"}) == 1


def test_people_of_an_excluded_set_are_kept_out(heap: Path, built: Path, tmp_path: Path):
    with pytest.raises(DatasetError, match="not a data set"):
        build_dataset(
            [heap], tmp_path / "first", options=BuildOptions(exclude=(tmp_path / "none",)), workers=0
        )
    result = build_dataset([heap], tmp_path / "set", options=BuildOptions(exclude=(built,)), workers=0)
    assert result.identities == 0
    assert result.reasons["excluded_person"] >= 4


def test_a_picture_that_forbids_training_is_left_out(tmp_path: Path):
    folder = tmp_path / "photos"
    folder.mkdir()
    info = PngImagePlugin.PngInfo()
    info.add_itxt(
        "XML:com.adobe.xmp", '<x plus:DataMining="http://ns.useplus.org/ldf/vocab/DMI-PROHIBITED"/>'
    )
    Image.new("RGB", (64, 64)).save(folder / "1.png", pnginfo=info)
    (folder / "sources.toml").write_text(SOURCE)
    result = build_dataset([folder], tmp_path / "set", workers=0)
    assert result.reasons == {"opted_out": 1}
    state = State.read(tmp_path / "set")
    [source] = state.rows(tmp_path / "set", "sources")
    assert source["opt_out"] == "files that forbid training were left out: 1"


def test_the_report_shows_groups_and_what_was_left_out_without_an_error(built: Path, tmp_path: Path):
    copy = shutil.copytree(built, tmp_path / "set")
    page = write_report(copy)
    text = page.read_text()
    assert text.count('class="group"') == 4  # two people, among the largest and the least certain
    assert "near_duplicate" in text and "damaged.jpg" in text and text.count("<svg") == 3
    browser = shutil.which("chromium") or shutil.which("google-chrome")
    if browser is None:
        pytest.skip("needs Chromium to open the page")
    shot = tmp_path / "page.png"
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", f"--screenshot={shot}"]
    run = subprocess.run(
        [browser, *flags, "--window-size=1100,1600", page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert shot.exists()
    assert ":CONSOLE" not in run.stderr


def test_a_report_does_not_outlive_who_is_forgotten(built: Path, tmp_path: Path):
    copy = shutil.copytree(built, tmp_path / "set")
    write_report(copy)
    forget(copy, people=[IDDataset(copy)[0].identity_id])
    assert not (copy / "report.html").exists()
    assert write_report(copy).read_text().count('class="group"') == 2
