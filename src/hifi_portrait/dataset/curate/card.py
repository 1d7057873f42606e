"""What is said beside a data set: README.md, a Hugging Face card, and croissant.json, for machines."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from huggingface_hub import DatasetCard, DatasetCardData

from hifi_portrait.dataset.curate.account import BuildResult
from hifi_portrait.dataset.curate.reasons import REASONS
from hifi_portrait.dataset.curate.state import State
from hifi_portrait.dataset.records import SPLITS, split_of
from hifi_portrait.dataset.tables import PHOTO_SCHEMA, read_columns
from hifi_portrait.io.atomic import atomic_write

_TYPES = {"string": "sc:Text", "int32": "sc:Integer", "int64": "sc:Integer", "double": "sc:Float"}


def write_card(out: Path, state: State, result: BuildResult) -> None:
    """Write ``README.md`` and ``croissant.json`` into a built data set.

    Parameters
    ----------
    out, state
        The data set.
    result
        Its counts.
    """
    sources = state.rows(out, "sources")
    ids = [
        name
        for shard in state.shards
        for name in read_columns(out / "photos" / f"{shard}.parquet", ["identity_id"])[
            "identity_id"
        ].to_pylist()
    ]
    licences = sorted({each["licence"] for each in sources})
    data = DatasetCardData(
        pretty_name=out.resolve().name,
        license="other" if len(licences) != 1 or "/" in licences[0] else licences[0].lower(),
        tags=["faces", "identity", "hifi-portrait"],
    )
    text = "\n\n".join(_paragraphs(state, result, sources, ids))
    with atomic_write(out / "README.md") as partial:
        partial.write_text(str(DatasetCard(f"---\n{data.to_yaml()}\n---\n\n{text}\n")))
    with atomic_write(out / "croissant.json") as partial:
        partial.write_text(json.dumps(_croissant(out, state, result, licences, sources), indent=2) + "\n")


def _paragraphs(
    state: State,
    result: BuildResult,
    sources: Sequence[dict[str, Any]],
    ids: Sequence[str],
) -> list[str]:
    per_split = Counter(split_of(name) for name in set(ids))
    grouping, calibration = state.options["grouping"], state.options["calibration"]
    return [
        "# An ID data set",
        f"{result.photos} photos of {result.identities} people, of {result.files} files that were given, of"
        f" which {result.used} are used. Built by `hifi-portrait dataset build`; the format is described in"
        " HiFi-Portrait's `docs/dataset.md`.",
        "| split | people |\n| --- | --- |\n"
        + "\n".join(f"| {name} | {per_split[name]} |" for name in SPLITS),
        "## Sources",
        "| name | licence | consent | attribution |\n| --- | --- | --- | --- |\n"
        + "\n".join(
            f"| {each['name']} | {each['licence']} | {each['consent']} | {each['attribution']} |"
            for each in sources
        ),
        "## Who is who",
        f"Faces were grouped with purity {grouping.get('purity')!r} by the recogniser"
        f" `{calibration['recogniser']}`, whose thresholds were calibrated on"
        f" {calibration['made_of'] or 'other people'}; there, a fraction of"
        f" {calibration['false_match_rate']:g} of pairs of two people lies above the strict"
        " one. Some photos are of somebody else than their row says.",
        "## What is left out",
        "| reason | what it says | rows |\n| --- | --- | --- |\n"
        + "\n".join(f"| `{name}` | {REASONS[name][1]} | {count} |" for name, count in result.reasons.items()),
        "## Personal data",
        "The photos show people's faces, and their embeddings can be used to recognise them. Take a person,"
        " a photo or a source out by `hifi-portrait dataset forget`. Do not use the set to identify anybody.",
    ]


def _croissant(
    out: Path,
    state: State,
    result: BuildResult,
    licences: Sequence[str],
    sources: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """Describe the set in MLCommons' Croissant 1.0 with its vocabulary for responsible AI."""
    fields = [
        {
            "@type": "cr:Field",
            "@id": f"photos/{field.name}",
            "name": field.name,
            "dataType": _TYPES[str(field.type)],
            "source": {"fileSet": {"@id": "photo-tables"}, "extract": {"column": field.name}},
        }
        for field in PHOTO_SCHEMA
        if str(field.type) in _TYPES
    ]
    rejected = ", ".join(f"{name}: {count}" for name, count in result.reasons.items())
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "name": "".join(each if each.isalnum() else "-" for each in out.resolve().name) or "dataset",
        "description": f"{result.photos} photos of {result.identities} people, grouped by person.",
        "conformsTo": ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"],
        "version": f"{state.batches}.0.0",
        "license": list(licences),
        "creator": [
            {"@type": "sc:Organization", "name": each["attribution"] or each["name"]} for each in sources
        ],
        "rai:dataCollection": "Photos from the sources " + ", ".join(each["name"] for each in sources) + ".",
        "rai:dataCollectionType": "Others",
        "rai:dataPreprocessingProtocol": f"Faces found, copies and poor photos left out ({rejected}).",
        "rai:dataAnnotationProtocol": "Who is who was decided by face embeddings, not by people.",
        "rai:dataLimitations": "Some photos are of somebody else than their row says.",
        "rai:dataBiases": "People are there as often as in the sources. Faces that the detector, the quality"
        " measures or the recogniser do less well on are left out more often.",
        "rai:dataReleaseMaintenancePlan": "People, photos and sources are taken out on request by"
        " `hifi-portrait dataset forget`, and do not come back when the set grows.",
        "rai:dataSocialImpact": "Embeddings of faces can be used to recognise people: not to be used for it.",
        "rai:personalSensitiveInformation": "Faces, and embeddings that recognise people. Consent: "
        + ", ".join(sorted({each["consent"] for each in sources}))
        + ".",
        "rai:dataUseCases": "Training of models that draw a given person.",
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": "folder",
                "name": "folder",
                "contentUrl": ".",
                "encodingFormat": "git+https",
                "sha256": "https://github.com/mlcommons/croissant/issues/80",
            },
            {
                "@type": "cr:FileSet",
                "@id": "photo-tables",
                "name": "photo-tables",
                "containedIn": {"@id": "folder"},
                "encodingFormat": "application/x-parquet",
                "includes": "photos/*.parquet",
            },
        ],
        "recordSet": [{"@type": "cr:RecordSet", "@id": "photos", "name": "photos", "field": fields}],
    }


_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The names that Croissant 1.0 asks each file to begin with."""
