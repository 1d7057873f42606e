"""Which files a build is given, and what is known of them."""

from dataclasses import replace
from pathlib import Path

import pytest

from hifi_portrait.dataset.curate.sources import InputFile, find_sources, list_files
from hifi_portrait.dataset.curate.state import open_batch, read_batch
from hifi_portrait.errors import DatasetError


def album(folder: Path, text: str | None) -> Path:
    (folder / "ann" / "more").mkdir(parents=True)
    for name in ("ann/1.jpg", "ann/more/2.jpg", "3.jpg", ".hidden.jpg"):
        (folder / name).touch()
    if text is not None:
        (folder / "sources.toml").write_text(text)
    return folder


GOOD = '[[source]]\nname = "album"\npath = "."\nlicence = "CC-BY-4.0"\nconsent = "signed"\n'


def test_a_source_without_licence_and_consent_is_not_read_and_it_is_said_what_to_write(tmp_path: Path):
    with pytest.raises(DatasetError, match=r"(?s)sources.toml.*source = .*licence"):
        find_sources([album(tmp_path / "x", None)], None)


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (GOOD.replace('consent = "signed"', 'consent = "maybe"'), "maybe"),
        (GOOD.replace('licence = "CC-BY-4.0"\n', ""), "licence"),
        (GOOD + 'colour = "red"\n', "colour"),
        (GOOD + GOOD, "twice"),
        ("[[source", "sources.toml"),
        ("x = 1", "source"),
    ],
)
def test_what_is_wrong_with_a_file_of_sources_is_named(tmp_path: Path, wrong: str, named: str):
    with pytest.raises(DatasetError, match=named):
        find_sources([album(tmp_path / "x", wrong)], None)


def test_the_first_folder_says_who_is_in_a_photo(tmp_path: Path):
    [source] = find_sources([album(tmp_path / "x", GOOD)], None)
    found = [(file.original, file.group) for file in list_files(source, named=True)]
    assert found == [("3.jpg", ""), ("ann/1.jpg", "album/ann"), ("ann/more/2.jpg", "album/ann")]
    assert {file.group for file in list_files(source, named=False)} == {""}


def test_a_folder_that_was_given_alone_is_a_person(tmp_path: Path):
    album(tmp_path / "x", GOOD)
    [source] = find_sources([tmp_path / "x" / "ann" / "more"], tmp_path / "x" / "sources.toml")
    assert [file.group for file in list_files(source, named=True)] == ["album/more"]


def test_a_list_names_photos_beside_it(tmp_path: Path):
    folder = album(tmp_path / "x", GOOD)
    (folder / "list.txt").write_text("3.jpg\n\nann/1.jpg\n")
    [source] = find_sources([folder / "list.txt"], None)
    assert [file.original for file in list_files(source, named=False)] == ["3.jpg", "ann/1.jpg"]
    (folder / "list.txt").write_bytes("\ufeff3.jpg\n".encode())  # as Windows' editors begin a text
    assert [file.original for file in list_files(source, named=False)] == ["3.jpg"]
    (folder / "list.txt").write_bytes(b"t\xe4.jpg\n")
    with pytest.raises(DatasetError, match=r"list\.txt cannot be read as a list of photos"):
        list_files(source, named=False)
    (folder / "list.txt").write_text("missing.jpg\n")
    with pytest.raises(DatasetError, match=r"missing\.jpg"):
        list_files(source, named=False)


def test_what_a_call_was_given_is_remembered(tmp_path: Path):
    sources = find_sources([album(tmp_path / "x", GOOD)], None)
    batch = open_batch(tmp_path / "out", 0, sources, named=True)
    (tmp_path / "x" / "later.jpg").touch()
    assert open_batch(tmp_path / "out", 0, sources, named=True) == batch == read_batch(tmp_path / "out", 0)
    assert InputFile(str(tmp_path / "x" / "3.jpg"), "3.jpg", "album", "") in batch.files
    with pytest.raises(DatasetError, match="unfinished"):
        open_batch(tmp_path / "out", 0, [replace(sources[0], name="other")], named=True)


def test_what_a_missing_source_is_told_to_write_can_be_pasted(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    with pytest.raises(DatasetError, match="nothing says by what licence and consent") as refused:
        find_sources([photos], None)
    message = " ".join(str(refused.value).split())  # as the command line shows it
    (photos / "sources.toml").write_text(message.partition("own): ")[2])
    (source,) = find_sources([photos], None)
    assert (source.name, source.licence, source.consent) == ("photos", "CC-BY-4.0", "signed")
