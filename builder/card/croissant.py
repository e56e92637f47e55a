"""Write croissant.json: a version in Croissant 1.1, for dataset search and other loaders.

The Hub generates a Croissant document of its own, without the version and the hashes of the files; this
document has both. It lists each file with its SHA-256. Each split is a separate file set, because a set that
is ``containedIn`` listed files is valid but yields no records and reports no error.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from builder.card.croissant_fields import describe_columns
from builder.card.licenses import license_url
from builder.card.text import one_line
from builder.domain.visible import visible, visible_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from builder.card.facts import CardFacts, ShardFile

CONFORMS_TO = "http://mlcommons.org/croissant/1.1"
PARQUET = "application/x-parquet"

# fmt: off
_CR_TERMS = [
    "arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileProperty",
    "fileObject", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5",
    "parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate",
    "separator", "source", "subField", "transform",
]
# fmt: on


def croissant(facts: CardFacts, files: Sequence[ShardFile] = ()) -> dict[str, Any]:
    """Describe one version in Croissant 1.1.

    Args:
        files: other files of the version, such as its manifest, to be listed with their hashes.
    """
    document = {
        "@context": _context(),
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": facts.name,
        "description": visible(facts.description, keep="\n") or one_line(facts.title) or facts.name,
        "version": facts.version,
        "license": facts.license_link or license_url(facts.license or "") or facts.license,
        "url": f"https://huggingface.co/datasets/{facts.repo}" if facts.repo else None,
        "datePublished": facts.date or facts.pages_until,
        "citeAs": _citation(facts),
        "inLanguage": list(facts.language) or None,
        "distribution": [*_file_objects(facts, files), *_file_sets(facts)],
        "recordSet": [_record_set(name, facts) for name in facts.filled],
        **_provenance(facts),
    }
    return {key: value for key, value in document.items() if value is not None}


def croissant_text(facts: CardFacts, files: Sequence[ShardFile] = ()) -> str:
    """Return the content of croissant.json, with an escape for each control character."""
    return visible_json(json.dumps(croissant(facts, files), indent=2, ensure_ascii=False)) + "\n"


def _citation(facts: CardFacts) -> str:
    """Return the BibTeX entry of the version; braces in a title would end the entry early."""
    title = one_line((facts.title or facts.name).replace("{", "(").replace("}", ")"))
    date = facts.date or facts.pages_until
    year = f", year = {{{date[:4]}}}" if date else ""
    return f"@misc{{{facts.name}, title = {{{title}}}, version = {{{facts.version}}}{year}}}"


def _context() -> dict[str, Any]:
    return {
        "@language": "en",
        "@vocab": "https://schema.org/",
        "conformsTo": "dct:conformsTo",
        "cr": "http://mlcommons.org/croissant/",
        "data": {"@id": "cr:data", "@type": "@json"},
        "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
        "dct": "http://purl.org/dc/terms/",
        "description": {"@container": "@language"},
        "examples": {"@id": "cr:examples", "@type": "@json"},
        "name": {"@container": "@language"},
        "prov": "http://www.w3.org/ns/prov#",
        "rai": "http://mlcommons.org/croissant/RAI/",
        "sc": "https://schema.org/",
        **{term: f"cr:{term}" for term in _CR_TERMS},
    }


def _file_objects(facts: CardFacts, files: Sequence[ShardFile]) -> list[dict[str, Any]]:
    shards = [shard for split in facts.filled.values() for shard in split.shards]
    return [
        {
            "@type": "cr:FileObject",
            "@id": file.path,
            "name": file.path,
            "contentUrl": file.path,
            "contentSize": f"{file.size_bytes} B",
            "encodingFormat": _encoding(file.path),
            "sha256": file.sha256,
        }
        for file in [*shards, *files]
    ]


def _encoding(path: str) -> str:
    formats = {".parquet": PARQUET, ".json": "application/json", ".md": "text/markdown"}
    return next(
        (name for suffix, name in formats.items() if path.endswith(suffix)), "application/octet-stream"
    )


def _file_sets(facts: CardFacts) -> list[dict[str, Any]]:
    return [
        {
            "@type": "cr:FileSet",
            "@id": f"{name}-files",
            "name": f"{name}-files",
            "description": f"All Parquet files of the split {name}.",
            "encodingFormat": PARQUET,
            "includes": _glob(split.shards, name),
        }
        for name, split in facts.filled.items()
    ]


def _glob(shards: Sequence[ShardFile], split: str) -> str:
    """Return the pattern that matches the shards of this split and of no other split."""
    folder = shards[0].path.rpartition("/")[0]
    return f"{folder}/{split}-*.parquet" if folder else f"{split}-*.parquet"


def _record_set(split: str, facts: CardFacts) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "name": split,
        "description": f"The documents of the split {split}: {facts.splits[split].rows} records.",
        "key": {"@id": f"{split}/id"},
        "field": describe_columns(split, facts.columns, notes=facts.column_notes),
    }


def _provenance(facts: CardFacts) -> dict[str, Any]:
    """Return in PROV what the version was made from: the digests of inputs and recipe, and the parent."""
    derived: list[dict[str, Any]] = []
    if facts.inputs:
        derived.append(
            {
                "@type": "prov:Entity",
                "prov:label": f"{facts.inputs.count} inputs, {facts.inputs.size_bytes} bytes",
                "sc:identifier": facts.inputs.digest,
            }
        )
    if facts.parent:
        derived.append({"@type": "prov:Entity", "prov:label": f"{facts.name} {facts.parent}"})
    steps = [stage.name for stage in facts.stages]
    activity: dict[str, Any] = {
        "@type": "prov:Activity",
        "prov:label": "nlp-corpus-builder: " + ", ".join(steps) if steps else "nlp-corpus-builder",
    }
    if facts.recipe_digest:
        recipe = {"@type": "prov:Entity", "prov:label": "recipe", "sc:identifier": facts.recipe_digest}
        activity["prov:used"] = recipe
    return {**({"prov:wasDerivedFrom": derived} if derived else {}), "prov:wasGeneratedBy": activity}
