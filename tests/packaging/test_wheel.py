"""The wheel: what is in it, and that a user's program is type-checked against it."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import venv
import zipfile
from email import message_from_bytes
from pathlib import Path

import numpy
import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("hifi_portrait", "mmrgaze360")

SCRIPT = """\
from pathlib import Path

import hifi_portrait
from hifi_portrait import FaceAnalyser, Framing, HeadPose, HiFiPortraitError, Identity, Target
from hifi_portrait.head import HeadPose as SameHeadPose

reveal_type(hifi_portrait.Identity)
reveal_type(Identity.from_photos)
reveal_type(Identity.load(Path("anna.safetensors")))
reveal_type(hifi_portrait.HiFiPortraitPipeline)
reveal_type(hifi_portrait.analyse)


def preview(photos: list[str]) -> None:
    try:
        identity = Identity.from_photos(photos, analyser=FaceAnalyser())
    except HiFiPortraitError as error:
        raise SystemExit(str(error)) from error
    target = Target(expression="smile", pose=HeadPose(yaw=25), framing=Framing(0.4, 0.5, 0.5))
    reveal_type(identity.warp(target, 512))
    same: SameHeadPose = HeadPose(pitch=3)
    Target(pose="left")  # ERROR arg-type
    hifi_portrait.Identiy  # ERROR attr-defined
    print(same)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built without a network by the build backend that the environment has."""
    pytest.importorskip("hatchling", reason="needs the extra dev, which brings the build backend")
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(out)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (file,) = out.glob("*.whl")
    return file


def _names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def test_the_wheel_holds_the_code_and_every_file_beside_it(wheel):
    expected = {
        path.relative_to(ROOT / "src").as_posix()
        for package in PACKAGES
        for path in (ROOT / "src" / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    names = {name for name in _names(wheel) if name.split("/")[0] in PACKAGES}
    assert names == expected


@pytest.mark.parametrize(
    "pattern",
    [
        r"hifi_portrait/py\.typed",
        r"hifi_portrait/assets/head\.safetensors",
        r"mmrgaze360/assets/model/scene/model\.safetensors",
        r"hifi_portrait/assets/panoramas/pmndrs_park\.exr",
        r"hifi_portrait/assets/bundled/model_index\.json",
        r"hifi_portrait/assets/bundled/unet/.*\.safetensors",
        r"hifi_portrait/models/configs/sdxl\.json",
        r"hifi_portrait/training/recipes/hifi\.toml",
        r"mmrgaze360/py\.typed",
        r"mmrgaze360/training/scene\.toml",
        r".*\.dist-info/licenses/LICENSE",
        r".*\.dist-info/licenses/NOTICE",
    ],
)
def test_the_wheel_holds(wheel, pattern):
    assert any(re.fullmatch(pattern, name) for name in _names(wheel))


def test_no_test_and_no_cache_is_in_the_wheel(wheel):
    assert not [name for name in _names(wheel) if "__pycache__" in name or name.split("/")[0] == "tests"]


def test_the_description_for_an_index_has_no_link_into_the_repository(wheel):
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = message_from_bytes(archive.read(name))
    targets = re.findall(r"\]\(([^)]+)\)", metadata.get_payload())
    assert targets
    assert all(target.startswith("https://") for target in targets)
    assert "# HiFi-Portrait" in metadata.get_payload()
    assert metadata["Author"] == "HiFi-Portrait contributors"


def test_no_training_package_is_a_dependency_of_a_portrait(wheel):
    with zipfile.ZipFile(wheel) as archive:
        name = next(name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        required = message_from_bytes(archive.read(name)).get_all("Requires-Dist")
    base = {re.split(r"[^\w.-]", line)[0] for line in required if "extra ==" not in line}
    assert not base & {"accelerate", "pyarrow", "tensorboard", "tokenizers", "tqdm", "matplotlib", "peft"}
    assert {"torch", "diffusers", "typer"} <= base


@pytest.mark.slow
def test_a_users_script_is_type_checked_against_the_installed_wheel(wheel, tmp_path):
    pytest.importorskip("mypy")
    venv.create(tmp_path / "user", with_pip=False)
    packages = Path(sysconfig.get_path("purelib", vars={"base": str(tmp_path / "user")}))
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target"]
    subprocess.run([*install, str(packages), str(wheel)], check=True, capture_output=True)
    # Of the libraries numpy alone is there: to read torch takes a minute, and no type below needs it.
    (packages / "numpy").symlink_to(Path(numpy.__file__).parent)
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "mypy", "--strict", "--no-error-summary"),
            *("--config-file", "", "--cache-dir", str(tmp_path / "cache")),
            *("--python-executable", str(tmp_path / "user" / "bin" / "python"), str(script)),
        ],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert not done.stderr
    revealed = dict(re.findall(r'script\.py:(\d+): note: Revealed type is "(.*)"', done.stdout))
    lines = SCRIPT.splitlines()
    for number, line in enumerate(lines, start=1):
        if "reveal_type" in line:
            assert "hifi_portrait." in revealed[str(number)] or "ndarray" in revealed[str(number)], line
    expected = {(number, line.split()[-1]) for number, line in enumerate(lines, start=1) if "# ERROR" in line}
    found = {
        (int(number), code)
        for number, code in re.findall(r"script\.py:(\d+): error: .*\[(.*)\]", done.stdout)
    }
    assert found == expected, done.stdout
