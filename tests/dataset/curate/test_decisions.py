"""What is decided about faces, on vectors, hashes and names alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hifi_portrait.dataset.curate import grouping, neighbours
from hifi_portrait.dataset.curate.assemble import bucket_of
from hifi_portrait.dataset.curate.calibration import Calibration
from hifi_portrait.dataset.curate.communities import chinese_whispers
from hifi_portrait.dataset.curate.detect import Forgotten
from hifi_portrait.dataset.curate.duplicates import DuplicateOptions, find_duplicates
from hifi_portrait.dataset.curate.exclude import find_excluded
from hifi_portrait.dataset.curate.faces import compared_landmarks
from hifi_portrait.dataset.curate.grouping import GroupingOptions, group_faces
from hifi_portrait.dataset.curate.identities import assign_ids, identity_id
from hifi_portrait.dataset.curate.likelihood import learn_ratios
from hifi_portrait.dataset.curate.matching import Matcher
from hifi_portrait.dataset.curate.neighbours import choose_neighbourhoods, nearest
from hifi_portrait.dataset.curate.quality import QualityOptions, find_poor
from hifi_portrait.dataset.curate.reasons import Rejection
from hifi_portrait.dataset.curate.sources import InputFile, find_sources, list_files
from hifi_portrait.dataset.curate.state import open_batch, read_batch
from hifi_portrait.dataset.records import split_of
from hifi_portrait.errors import DatasetError

WIDTH = 16
CALIBRATION = Calibration(
    recogniser="numbers",
    plain_strict=0.9,
    plain_balanced=0.85,
    plain_guard=0.8,
    ratio_strict=0.0,
    ratio_balanced=0.0,
    folder_plain=0.8,
    folder_ratio=0.0,
    adopting_ratio=0.0,
    false_match_rate=0.0,
    faces=1000,
    doubling=2.0,
)


def people(count: int, photos: int, spread: float = 0.05) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of people, and who each is of."""
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(count, WIDTH))
    truth = np.repeat(np.arange(count), photos)
    vectors = centres[truth] / np.linalg.norm(centres[truth], axis=1, keepdims=True)
    vectors = vectors + spread * rng.normal(size=vectors.shape)
    return (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32), truth


def group(vectors, folders=None, pictures=None, **options):
    number = len(vectors)
    return group_faces(
        vectors,
        np.arange(number) if pictures is None else np.asarray(pictures),
        folders or [""] * number,
        CALIBRATION,
        GroupingOptions(**options),
    )


def same(person: np.ndarray, truth: np.ndarray) -> bool:
    return bool(((person[:, None] == person) == (truth[:, None] == truth)).all()) and bool(
        (person >= 0).all()
    )


@pytest.mark.parametrize("purity", ["strict", "balanced"])
def test_faces_without_names_are_put_together_by_person(purity: str):
    vectors, truth = people(12, 6)
    assert same(group(vectors, purity=purity).person, truth)


def test_a_face_that_is_alone_is_nobody():
    vectors, truth = people(5, 4)
    alone = group(vectors[[*range(16), 16]]).person
    assert alone[-1] == -1 and same(alone[:16], truth[:16])


def test_two_faces_of_one_picture_are_never_one_person():
    vectors, _ = people(1, 6)
    pictures = [0, 0, 1, 2, 3, 4]
    person = group(vectors, pictures=pictures).person
    assert person[0] != person[1] or person[0] == -1


def test_who_does_not_belong_to_a_folder_leaves_it_for_his_own():
    vectors, truth = people(3, 6)
    folders = [f"album/{name}" for name in truth]
    folders[0] = "album/1"
    found = group(vectors, folders)
    assert same(found.person, truth)
    assert found.names[int(found.person[6])] == ("album/1",)


def test_a_stranger_in_a_folder_is_nobody():
    vectors, _ = people(2, 6)
    person = group(vectors[:7], ["album/a"] * 7).person
    assert person[6] == -1 and (person[:6] == 0).all()


def test_two_folders_of_one_person_become_one():
    vectors, _ = people(1, 8)
    found = group(vectors, ["album/x"] * 4 + ["album/y"] * 4)
    assert (found.person == found.person[0]).all()
    assert found.names[int(found.person[0])] == ("album/x", "album/y")


def test_ratios_learn_where_people_differ_and_where_photos_do():
    """Most of the scatter is along one direction, which the plain cosine counts like any other."""
    rng = np.random.default_rng(0)
    vectors, truth = people(40, 5, 0.02)
    vectors = vectors + np.outer(rng.normal(size=len(vectors)), np.eye(WIDTH)[0]) * 0.5
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    rows, together = np.arange(len(vectors)), truth[:, None] == truth
    ratios = learn_ratios(vectors, truth)

    def overlap(values: np.ndarray) -> float:
        return float((values[together] < np.quantile(values[~together], 0.99)).mean())

    found = ratios.of(rows, rows)
    assert overlap(found) < overlap(vectors @ vectors.T) / 3
    np.testing.assert_allclose(ratios.of_pairs(rows[:3], rows[[[4, 5]] * 3]), found[:3, 4:6], rtol=1e-4)


def test_at_a_ratio_of_one_a_pair_is_of_one_person_as_likely_as_of_two():
    """Of unit vectors, which are not quite from the model: within a factor of two and a half."""
    rng = np.random.default_rng(1)
    truth = np.repeat(np.arange(300), 4)
    vectors = rng.normal(size=(300, WIDTH))[truth] + rng.normal(size=(1200, WIDTH))
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    rows = np.arange(1200)
    found, together = learn_ratios(vectors, truth).of(rows, rows), truth[:, None] == truth
    np.fill_diagonal(together, False)
    two = ~together & ~np.eye(1200, dtype=bool)
    for logarithm in (-2, 0, 2):
        near = np.abs(found - logarithm) < 0.5
        ratio = near[together].mean() / near[two].mean()
        assert abs(np.log(ratio) - logarithm) < np.log(2.5)


def test_nothing_is_learnt_from_few_faces():
    vectors, truth = people(3, 4)
    assert learn_ratios(vectors, truth) is None


def test_the_plain_cosine_must_agree_with_the_ratio():
    vectors, truth = people(40, 5)
    matcher = Matcher(plain=vectors, ratios=learn_ratios(vectors, truth), plain_threshold=2.0)
    assert (matcher.at(plain=2.0, ratio=-1e6).margins(np.arange(len(vectors))) < 0).all()


def test_ratios_must_be_greater_in_larger_collections():
    assert CALIBRATION.more_for(1000) == CALIBRATION.more_for(10) == 0
    assert CALIBRATION.more_for(4000) == 4.0


def test_people_of_a_set_that_grows_stay_who_they_are():
    """Two people so alike that they would be one in a new set, and newcomers of two others."""
    vectors, _ = people(3, 6)
    alike = vectors[:6].mean(axis=0) + 0.45 * vectors[6:12]
    alike /= np.linalg.norm(alike, axis=1, keepdims=True)
    faces = np.concatenate([vectors, alike])
    settled = ["a"] * 5 + [""] + ["b"] * 6 + ["c"] * 5 + [""] + ["d"] * 6
    without = group(faces).person
    assert without[0] == without[18]
    person = group_faces(faces, np.arange(24), [""] * 24, CALIBRATION, GroupingOptions(), settled).person
    assert person[5] == person[0] and person[17] == person[16]
    assert len({*person[:5]}) == len({*person[6:12]}) == len({*person[12:17]}) == len({*person[18:]}) == 1
    assert person[0] != person[18]


def test_a_settled_person_is_not_torn_by_folders():
    vectors, truth = people(2, 8)
    folders = ["album/a"] * 4 + ["album/b"] * 4 + ["album/c"] * 8
    settled = ["x"] * 3 + [""] + ["x"] * 4 + ["y"] * 8
    person = group_faces(vectors, np.arange(16), folders, CALIBRATION, GroupingOptions(), settled).person
    assert same(person, truth)
    # faces that nobody would put together by now
    person = group_faces(
        vectors, np.arange(16), [""] * 16, CALIBRATION, GroupingOptions(), ["x", "", "", ""] * 4
    ).person
    assert len({*person[::4]}) == 1


def test_a_face_without_a_name_goes_to_the_person_of_a_folder_whom_it_is_most_like():
    vectors, truth = people(3, 6)
    folders = [f"album/{who}" if place % 6 else "" for place, who in enumerate(truth)]
    folders[12:] = [""] * 6
    calibration = replace(CALIBRATION, plain_strict=0.9999, plain_guard=0.9999, folder_plain=0.7)
    person = group_faces(vectors, np.arange(18), folders, calibration, GroupingOptions()).person
    assert person[0] == -1  # where nothing can be learnt, strictly
    vectors, truth = people(40, 6)
    folders = [f"album/{who}" if place % 6 else "" for place, who in enumerate(truth)]
    folders[-6:] = [""] * 6
    person = group_faces(vectors, np.arange(240), folders, calibration, GroupingOptions()).person
    assert same(person[:-6], truth[:-6]) and (person[-6:] == -1).all()


def test_whispers_find_groups_that_are_linked_by_little():
    """Two cliques of five, and one link between them."""
    neighbours = np.array([[n for n in range(at - at % 5, at - at % 5 + 5) if n != at] for at in range(10)])
    neighbours[0, 0] = 5
    labels = chinese_whispers(neighbours, np.ones(neighbours.shape, np.float32), 0.5)
    assert same(labels, np.repeat([0, 1], 5))
    alone = chinese_whispers(neighbours, np.zeros(neighbours.shape, np.float32), 0.5)
    assert len(np.unique(alone)) == 10


def test_more_faces_than_are_compared_with_all_others_are_grouped(monkeypatch: pytest.MonkeyPatch):
    for module, name in ((grouping, "_LEARNT_FROM"), (neighbours, "EXACT_BELOW")):
        monkeypatch.setattr(module, name, 400)
    vectors, truth = people(100, 6)
    person = group(vectors).person
    assert same(person[person >= 0], truth[person >= 0])
    assert (person >= 0).mean() > 0.97


def test_chosen_neighbourhoods_hold_people_whole():
    vectors, truth = people(300, 8, 0.02)
    chosen = choose_neighbourhoods(vectors, 1200)
    assert 800 < len(chosen) <= 1200
    seen = np.bincount(truth[chosen], minlength=300)
    assert (seen[seen > 0] == 8).mean() > 0.8


def test_neighbours_are_without_the_face_itself():
    vectors, _ = people(4, 5)
    found, similarities = nearest(np.concatenate([vectors, vectors[:1]]), 3)
    assert not (found == np.arange(21)[:, None]).any()
    assert found[0, 0] == 20 and similarities[0, 0] > 0.999


@pytest.fixture
def mirror():
    return compared_landmarks()[1]


def test_opposite_landmarks_are_opposite(mirror):
    assert (mirror[mirror] == np.arange(len(mirror))).mean() > 0.95


def test_an_exact_copy_goes_and_the_first_stays(make_faces):
    faces = make_faces(people(2, 2)[0], sha256=["x", "y", "x", "z"])
    assert find_duplicates(faces, DuplicateOptions()) == {
        2: Rejection(reason="exact_duplicate", detail="0.jpg")
    }


def test_of_near_copies_the_largest_stays(make_faces):
    vectors = np.repeat(people(2, 1)[0], 2, axis=0)
    hashes = np.random.default_rng(0).integers(0, 256, (4, 32), np.uint8)
    hashes[1] = hashes[0]
    hashes[1, 0] ^= 7
    found = find_duplicates(
        make_faces(vectors, pdq=hashes, area=np.array([100, 400, 100, 100])), DuplicateOptions()
    )
    assert found == {0: Rejection(reason="near_duplicate", value=3.0, detail="1.jpg")}


def test_pictures_alike_of_two_people_are_no_copies(make_faces):
    hashes = np.repeat(np.random.default_rng(0).integers(0, 256, (1, 32), np.uint8), 2, axis=0)
    assert find_duplicates(make_faces(people(2, 1)[0], pdq=hashes), DuplicateOptions()) == {}


def test_a_mirrored_copy_is_found_by_its_face(make_faces, mirror):
    vectors = np.repeat(people(1, 1)[0], 2, axis=0)
    faces = make_faces(vectors)
    shapes = faces.shapes.copy()
    shapes[1] = np.array([148.6, 0]) + shapes[0][mirror] * [-1, 1]
    mirrored = faces.mirrored_pdq.copy()
    mirrored[1], mirrored[0] = faces.chip_pdq[0], faces.chip_pdq[1]
    mirrored[:, :4] ^= 255  # 32 bits of 256: as much as a mirrored copy may differ by
    copies = replace(faces, shapes=shapes, mirrored_pdq=mirrored)
    assert [each.reason for each in find_duplicates(copies, DuplicateOptions()).values()] == [
        "near_duplicate"
    ]
    moved = replace(copies, shapes=shapes + np.array([0, 1])[:, None, None] * 9)
    assert find_duplicates(moved, DuplicateOptions()) == {}


def test_a_poor_face_is_rejected_by_the_measure_that_is_worst(make_faces):
    measures = np.ones((2, 7), np.float32)
    measures[1, 0], measures[1, 5] = 0.01, 0.14
    found = find_poor(make_faces(people(1, 2)[0], measures=measures), QualityOptions())
    assert list(found) == [1]
    assert (found[1].reason, found[1].threshold) == ("blurred", 0.5)
    assert found[1].value == pytest.approx(0.01)


def test_people_of_an_evaluation_set_are_recognised_without_names():
    assert find_excluded(people(2, 2)[0], {0: [0, 1]}, [], CALIBRATION) == {}


def keys(*names: str) -> list[tuple[str, int]]:
    return [(name, 0) for name in names]


def test_a_group_keeps_the_id_with_which_it_shares_most_photos():
    known = dict.fromkeys(keys("a", "b", "c"), "id-0000000") | dict.fromkeys(keys("x"), "id-0000001")
    given = assign_ids([keys("a", "b", "x", "new"), keys("y", "z")], known, 2)
    assert (given.ids, given.next_number) == (["id-0000000", "id-0000002"], 3)


def test_an_id_goes_to_one_group_only():
    known = dict.fromkeys(keys("a", "b", "c"), "id-0000000")
    assert assign_ids([keys("c"), keys("a", "b")], known, 1).ids == ["id-0000001", "id-0000000"]


def test_ids_do_not_depend_on_the_order_of_the_groups():
    first = assign_ids([keys("a", "b"), keys("c", "d")], {}, 0).ids
    assert assign_ids([keys("c", "d"), keys("a", "b")], {}, 0).ids == first[::-1]


def test_nobody_changes_split_when_two_people_turn_out_to_be_one():
    trained = next(identity_id(n) for n in range(999) if split_of(identity_id(n)) == "train")
    tested = next(identity_id(n) for n in range(999) if split_of(identity_id(n)) == "test")
    known = dict.fromkeys(keys("a", "b"), trained) | dict.fromkeys(keys("x"), tested)
    given = assign_ids([keys("a", "b", "x", "new")], known, 999)
    assert given.ids == [trained] and given.moved == set(keys("x"))


def test_a_persons_shard_follows_from_the_id():
    places = [bucket_of(identity_id(n), 8) for n in range(400)]
    assert sorted(set(places)) == list(range(8))
    assert [bucket_of(identity_id(n), 16) % 8 for n in range(400)] == places


def test_a_forgotten_picture_is_known_by_its_hash():
    hashed = bytes(range(32))
    near = bytes([1, *range(1, 32)])
    gone = Forgotten(frozenset({"s"}), (hashed,))
    assert gone.knows({"sha256": "t", "pdq": near})
    assert gone.knows({"sha256": "s", "pdq": bytes(32)})
    assert not gone.knows({"sha256": "t", "pdq": bytes([255] * 32)})


def test_an_unknown_reason_is_refused():
    with pytest.raises(ValueError, match="'because'"):
        Rejection(reason="because")


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
