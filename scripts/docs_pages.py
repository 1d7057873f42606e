"""Hooks of mkdocs: files of the repository's root as pages of the documentation, without a copy of them.

README.md becomes the start page, CONTRIBUTING.md and CHANGELOG.md pages of their own. Links in them become
links between pages; what is no page, such as LICENSE, stays as words.
"""

from __future__ import annotations

import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[1]
PAGES = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}


def page_text(text: str) -> str:
    """The text of a file of the root as that of a page of the documentation."""

    def link(match: re.Match[str]) -> str:
        mark, words, target = match.groups()
        if re.match(r"https?:|#", target):
            return match.group()
        path, hash_sign, anchor = target.partition("#")
        if path in PAGES:
            return f"{mark}[{words}]({PAGES[path]}{hash_sign}{anchor})"
        if path.startswith("docs/"):
            return f"{mark}[{words}]({path.removeprefix('docs/')}{hash_sign}{anchor})"
        return words

    return re.sub(r"(!?)\[([^\]]*)\]\(([^)\s]+)\)", link, text)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages made from files of the root."""
    for source, page in PAGES.items():
        content = page_text((ROOT / source).read_text(encoding="utf-8"))
        files.append(File.generated(config, page, content=content))
    return files
