"""The second stage: a shard of people, decided by grouping -> pictures, head fits, captions and tables."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import blake2b, sha256
from pathlib import Path
from typing import Any

import numpy as np

from hifi_portrait.dataset.curate.captioner import captioner_name, captioner_of
from hifi_portrait.dataset.curate.captions import describe
from hifi_portrait.dataset.curate.reasons import REJECTED_SCHEMA, RejectedFace
from hifi_portrait.dataset.curate.videos import frame_images, sitting_of
from hifi_portrait.dataset.format import PhotoAnalysis, PhotoRecord
from hifi_portrait.dataset.rows import TableRows
from hifi_portrait.dataset.tables import write_table
from hifi_portrait.dataset.writer import ShardWriter
from hifi_portrait.errors import HiFiPortraitError
from hifi_portrait.faces.geometry import cut_out, transform_points
from hifi_portrait.faces.image import decode_picture
from hifi_portrait.faces.refined_matting import RefinedMatting
from hifi_portrait.fitting import fit

_PHOTOS_PER_SHARD = 400
"""Photos that a shard holds in the mean, when a set is built; from twice as many it is split."""


@dataclass(frozen=True, kw_only=True)
class FitOptions:
    """Which faces the head model must fit."""

    residual: float = 0.12
    """Above it, as a fraction of the distance between the eyes, a face is rejected."""


@dataclass(frozen=True, kw_only=True)
class AssembleOptions:
    """How the people of a shard are written."""

    fit: FitOptions = field(default_factory=FitOptions)
    """Which faces the head model must fit."""
    captioner: str | None = None
    """Folder or hub id of the model that writes captions; None for captions of what was measured."""


@dataclass(frozen=True)
class Member:
    """A face of a person."""

    table: str
    """Table of the first stage that the face is in."""
    row: int
    """Its row there."""
    sha256: str
    """Of its file."""
    face: int
    """Which of the picture's faces."""
    stored: tuple[str, int, int] | None = None
    """Shard, offset and size of the picture where it is in the data set already."""


@dataclass(frozen=True)
class PersonSpec:
    """Who is to be written, with which photos."""

    identity_id: str
    members: tuple[Member, ...]
    folders: tuple[str, ...] = ()
    """Folders that are of the person."""


@dataclass(frozen=True)
class ShardSpec:
    """A shard to be written."""

    name: str
    people: tuple[PersonSpec, ...]


def shard_name(bucket: int, people: Sequence[PersonSpec], options: AssembleOptions) -> str:
    """Name a shard by its place and what is in it: one of other content has another name."""
    content = [
        [each.identity_id, [(member.sha256, member.face) for member in each.members], each.folders]
        for each in people
    ]
    made_by = [content, options.fit.residual]
    if options.captioner:
        made_by.append(captioner_name(options.captioner))
    digest = blake2b(json.dumps(made_by).encode(), digest_size=5).hexdigest()
    return f"s{bucket:05d}-{digest}"


def bucket_of(identity: str, buckets: int) -> int:
    """Choose a person's shard, by the id alone."""
    return int.from_bytes(blake2b(identity.encode(), digest_size=8).digest(), "big") % buckets


def choose_buckets(now: int, photos: int) -> int:
    """Choose among how many shards people are spread: a power of two, that only grows."""
    while photos > 2 * _PHOTOS_PER_SHARD * now:
        now *= 2
    return now


def spread(specs: Sequence[PersonSpec], buckets: int, options: AssembleOptions) -> list[ShardSpec]:
    """Spread people over shards."""
    people: dict[int, list[PersonSpec]] = {}
    for spec in specs:
        people.setdefault(bucket_of(spec.identity_id, buckets), []).append(spec)
    return [
        ShardSpec(shard_name(bucket, each, options), tuple(each)) for bucket, each in sorted(people.items())
    ]


def photo_id(member: Member) -> str:
    """Name a photo by its content, and by its face where that is not the largest."""
    return member.sha256[:16] + (f"-{member.face}" if member.face else "")


def write_people(out: Path, options: AssembleOptions, specs: Sequence[ShardSpec]) -> list[int]:
    """Write shards of a data set; a shard's ``photos`` table is written last.

    Parameters
    ----------
    out
        The data set's folder.
    options
        How people are written.
    specs
        The shards.

    Returns
    -------
    list of int
        The number of photos in each.
    """
    return [_write(out, options, spec) for spec in specs]


def _write(out: Path, options: AssembleOptions, spec: ShardSpec) -> int:
    tables = TableRows()
    records: list[PhotoRecord] = []
    rejected: list[RejectedFace] = []
    for person in spec.people:
        rows = [
            tables.row(out / "work" / "faces" / f"{each.table}.parquet", each.row) for each in person.members
        ]
        found, poor = _person(out, options, person, rows)
        records += found
        rejected += poor
    table = [each.row() for each in rejected]
    write_table(out / "work" / "fits" / f"{spec.name}.parquet", table, REJECTED_SCHEMA)
    shard = ShardWriter(out, spec.name)
    for record in records:
        shard.append(record)
    shard.commit()
    return len(records)


def _person(
    out: Path, options: AssembleOptions, person: PersonSpec, rows: Sequence[dict[str, Any]]
) -> tuple[list[PhotoRecord], list[RejectedFace]]:
    members, kept, images, rejected = [], [], [], []
    frames = frame_images(
        [
            row
            for member, row in zip(person.members, rows, strict=True)
            if row["frame"] is not None and member.stored is None
        ]
    )
    for member, row in zip(person.members, rows, strict=True):
        image = _read(out, member, row, frames)
        if image is None:
            rejected.append(_reject(row, "file_gone"))
        else:
            members.append(member)
            kept.append(row)
            images.append(image)
    analyses = [_analysis(row) for row in kept]
    if not analyses:
        return [], rejected
    sizes = [(each.crop_size, each.crop_size) for each in analyses]
    try:
        head = fit(
            [crop_landmarks(each) for each in analyses],
            sizes,
            weights=[max(each.quality, 0.01) for each in analyses],
        )
    except HiFiPortraitError as error:
        return [], [*rejected, *(_reject(row, "poor_fit", detail=str(error)) for row in kept)]
    records = []
    for member, row, image, analysis, geometry, residual in zip(
        members, kept, images, analyses, head.geometries, head.residuals, strict=True
    ):
        if residual > options.fit.residual:
            rejected.append(_reject(row, "poor_fit", float(residual), options.fit.residual))
            continue
        fitted = replace(analysis, fit=geometry, residual=float(residual))
        records.append(_record(person, member, row, image, fitted, options.captioner))
    return records, rejected


def _record(
    person: PersonSpec,
    member: Member,
    row: dict[str, Any],
    image: bytes,
    analysis: PhotoAnalysis,
    captioner: str | None,
) -> PhotoRecord:
    assert analysis.crop_transform is not None and analysis.fit is not None
    crop = cut_out(decode_picture(image), analysis.crop_transform, analysis.crop_size)
    matte = _matting()(crop)
    caption, attributes = describe(crop, matte, analysis.fit)
    if captioner is not None:
        caption = captioner_of(captioner)(crop) or caption
    if person.folders:
        attributes |= {"folders": ", ".join(person.folders)}
    return PhotoRecord(
        identity_id=person.identity_id,
        photo_id=photo_id(member),
        image=image,
        caption=caption,
        attributes=attributes,
        analysis=replace(analysis, matte=matte),
        width=row["width"],
        height=row["height"],
        face=row["face"],
        box=np.asarray(row["box"], np.float32),
        sha256=row["sha256"],
        source=row["source"],
        original=row["original"],
        frame=row["frame"],
        sitting=sitting_of(row),
    )


def _analysis(row: dict[str, Any]) -> PhotoAnalysis:
    return PhotoAnalysis(
        found=True,
        landmarks=np.asarray(row["landmarks"], np.float32).reshape(478, 3),
        crop_transform=np.asarray(row["crop_transform"], np.float32).reshape(3, 3),
        crop_size=row["crop_size"],
        embedding=np.asarray(row["embedding"], np.float32),
        recogniser=row["recogniser"],
        quality=row["quality"],
    )


def crop_landmarks(analysis: PhotoAnalysis) -> Any:
    """Give the landmarks (478, 3) in pixels of the portrait crop."""
    assert analysis.landmarks is not None and analysis.crop_transform is not None
    return transform_points(analysis.landmarks, analysis.crop_transform)


def _read(
    out: Path, member: Member, row: dict[str, Any], frames: Mapping[tuple[str, float], bytes]
) -> bytes | None:
    """Read a picture from the data set, or from where it was found; None where it is gone or another."""
    if member.stored is not None:
        shard, offset, size = member.stored
        with (out / "images" / f"{shard}.tar").open("rb") as file:
            file.seek(offset)
            return file.read(size)
    try:
        image = (
            Path(os.fsdecode(row["path"])).read_bytes()
            if row["frame"] is None
            else frames[row["video"], row["frame"]]
        )
    except (OSError, KeyError):
        return None
    return image if sha256(image).hexdigest() == member.sha256 else None


def _reject(
    row: dict[str, Any],
    reason: str,
    value: float | None = None,
    threshold: float | None = None,
    detail: str = "",
) -> RejectedFace:
    return RejectedFace(
        reason=reason,
        value=value,
        threshold=threshold,
        detail=detail,
        original=row["original"],
        source=row["source"],
        sha256=row["sha256"],
        face=row["face"],
        frame=row["frame"],
    )


@lru_cache(maxsize=1)
def _matting() -> RefinedMatting:
    return RefinedMatting()
