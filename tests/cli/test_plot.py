from pathlib import Path

from hifi_portrait.cli.plot import named_apart


def test_runs_of_one_name_are_told_apart():
    folders = [Path("/runs/first/mend"), Path("/runs/second/mend"), Path("/runs/first/mend")]
    assert named_apart(folders) == {"first/mend": folders[0], "second/mend": folders[1]}


def test_runs_have_short_names():
    assert named_apart([Path("/runs/base"), Path("/elsewhere/text")]).keys() == {"base", "text"}
    assert named_apart([]) == {}
