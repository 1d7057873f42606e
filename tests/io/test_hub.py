"""A mistyped name of a model is named at once, not after a minute of asking the hub."""

from __future__ import annotations

import pytest

from hifi_portrait.errors import ModelError
from hifi_portrait.io import hub


@pytest.mark.parametrize("name", ["models/mine", "some/mine", "a/b/c", "mine", "./mine", "../x/y"])
def test_what_is_nowhere_is_named(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "models").mkdir()
    monkeypatch.setattr(hub, "_hub_answers", lambda: False)
    with pytest.raises(ModelError, match=f"there is no folder {name}"):
        hub.check_reachable(name, cache_dir=tmp_path / "cache")


def test_the_cache_alone_is_looked_at_where_that_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "_hub_answers", lambda: pytest.fail("it was asked"))
    with pytest.raises(ModelError, match="the hub is not asked"):
        hub.check_reachable("some/mine", cache_dir=tmp_path, local_files_only=True)


def test_a_hub_that_answers_is_left_to_say_what_it_has(tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "_hub_answers", lambda: True)
    hub.check_reachable("some/mine", cache_dir=tmp_path)
