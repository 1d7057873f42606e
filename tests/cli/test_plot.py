from pathlib import Path

from hifi_portrait.cli.plot import distinguish_folders


def test_runs_of_one_name_are_told_apart():
    folders = [Path("/runs/first/mend"), Path("/runs/second/mend"), Path("/runs/first/mend")]
    assert distinguish_folders(folders) == {"first/mend": folders[0], "second/mend": folders[1]}


def test_runs_have_short_names():
    assert distinguish_folders([Path("/runs/base"), Path("/elsewhere/text")]).keys() == {"base", "text"}
    assert distinguish_folders([]) == {}
