"""Fetch the panoramas that ``hifi-portrait people --variety world --environments DIR`` uses.

usage: python scripts/fetch_environments.py DIR

All are CC0 panoramas of Poly Haven (formerly HDRI Haven), as two packages hold them:

- npm ``@pmndrs/assets`` 1.7.0 (licence CC0-1.0, its LICENSE file): 18 of 512 x 256 pixels;
- Debian ``blender-data`` (studiolights/world/license.txt: "All HDRIs are licenses as CC0", by Greg Zaal):
  8 of 1024 x 512 pixels. Left out where there is no ``apt-get``.

Together 4 MB. Any other folder of ``.exr`` or ``.hdr`` panoramas does as well; a file's name names its place.
"""

import argparse
import base64
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

PMNDRS = "@pmndrs/assets@1.7.0"
BLENDER = "blender-data"


def fetch_pmndrs(work: Path, out: Path) -> int:
    """Panoramas of the npm package."""
    packed = subprocess.run(
        ["npm", "pack", "--silent", PMNDRS], cwd=work, check=True, capture_output=True, text=True
    )
    with tarfile.open(work / packed.stdout.split()[-1]) as archive:
        archive.extractall(work, filter="data")
    files = sorted((work / "package" / "hdri").glob("*.exr.js"))
    for file in files:
        found = re.search(r"base64,([A-Za-z0-9+/=]+)", file.read_text())
        if found is None:
            raise SystemExit(f"{file.name} of {PMNDRS} holds no base64 picture")
        name = file.name.removesuffix(".exr.js")
        (out / f"pmndrs_{name}.exr").write_bytes(base64.b64decode(found.group(1)))
    shutil.copy(work / "package" / "LICENSE", out / "LICENSE.pmndrs-assets.txt")
    return len(files)


def fetch_blender(work: Path, out: Path) -> int:
    """Panoramas of the Debian package."""
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        print(f"no apt-get here: the panoramas of {BLENDER} are left out")
        return 0
    subprocess.run(["apt-get", "download", BLENDER], cwd=work, check=True, capture_output=True)
    subprocess.run(["dpkg-deb", "-x", next(work.glob("*.deb")), work / "deb"], check=True)
    world = next((work / "deb").rglob("studiolights/world"))
    files = sorted(world.glob("*.exr"))
    for file in files:
        shutil.copy(file, out / f"blender_{file.name}")
    shutil.copy(world / "license.txt", out / "LICENSE.blender-data.txt")
    return len(files)


def main() -> None:
    """Fill a folder."""
    parser = argparse.ArgumentParser(description="Fetch CC0 panoramas of real places.")
    parser.add_argument("out", type=Path, help="folder to fill; made where it does not exist")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for fetch in (fetch_pmndrs, fetch_blender):
        with tempfile.TemporaryDirectory() as work:
            print(f"{fetch(Path(work), out)} panoramas by {fetch.__name__}")


if __name__ == "__main__":
    main()
