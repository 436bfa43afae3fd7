"""`croissant.json`: Croissant 1.0 metadata with the size and SHA-256 of every other file.

Its own bytes are covered too: `identifier` holds the SHA-256 of the file as it is with 64 zeros
in that place, so that an altered byte anywhere in it is found without a second file.
"""

import hashlib
import json
import re
from typing import Annotated, Any, NamedTuple

from pydantic import BaseModel, Field, ValidationError

from dmef_bench.dataset.imported_records import ImportedDatasetRecord
from dmef_bench.dataset.manifest import AnyManifest, why
from dmef_bench.dataset.records import (
    CROISSANT_FILE,
    METADATA_FILE,
    InsideName,
    Sha256,
)
from dmef_bench.errors import IntegrityError

_ZEROS = "0" * 64
_IDENTIFIER = re.compile(rb'"identifier": "sha256:([0-9a-f]{64})"')

# The context printed in the Croissant 1.0 specification, appendix 1.
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
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
_FORMATS = {
    "png": "image/png",
    "json": "application/json",
    "jsonl": "application/jsonlines",
    "md": "text/markdown",
    "tif": "image/tiff",
    "jpg": "image/jpeg",
    "hdr": "image/vnd.radiance",
}


class FileFacts(NamedTuple):
    """What must be true of a file: SHA-256 in hexadecimal, size in bytes."""

    sha256: str
    size: int


def _file_object(name: str, facts: FileFacts) -> dict[str, str]:
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{facts.size} B",
        "encodingFormat": _FORMATS[name.rpartition(".")[2]],
        "sha256": facts.sha256,
    }


def _record_set(split: str, columns: list[str]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": split,
        "name": split,
        "description": f"One record a scene; file names are relative to the folder {split}.",
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{split}/{column}",
                "name": column,
                "dataType": "sc:Text",
                "source": {
                    "fileObject": {"@id": f"{split}/{METADATA_FILE}"},
                    "extract": {"column": column},
                },
            }
            for column in columns
        ],
    }


def render(
    manifest: AnyManifest, description: str, licence: str, files: dict[str, FileFacts]
) -> bytes:
    """The bytes of croissant.json.

    Args:
        manifest: of the dataset.
        description: one sentence.
        licence: identifier of the pictures' licence.
        files: every file of the dataset but croissant.json, by name.
    """
    first = {split: scenes[0] for split, scenes in manifest.scenes.items()}
    document = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "identifier": f"sha256:{_ZEROS}",
        "name": manifest.record.name,
        "description": description,
        "license": licence,
        "version": f"{manifest.record.schema_version}.0.0",
        "citeAs": _citation(manifest),
        "distribution": [_file_object(name, files[name]) for name in sorted(files)],
        "recordSet": [
            _record_set(split, ["scene", *(f"{picture}_file_name" for picture in scene.pictures())])
            for split, scene in first.items()
        ],
    }
    content = json.dumps(document, indent=1, ensure_ascii=True).encode() + b"\n"
    digest = hashlib.sha256(content).hexdigest()
    return content.replace(_ZEROS.encode(), digest.encode(), 1)


def _citation(manifest: AnyManifest) -> str:
    if isinstance(manifest.record, ImportedDatasetRecord):
        return manifest.record.citation
    return "Chen et al., AAAI 2025, https://doi.org/10.1609/aaai.v39i2.32224"


class _FileObject(BaseModel):
    contentUrl: InsideName  # noqa: N815 - the standard's own word
    contentSize: Annotated[str, Field(pattern=r"^[0-9]{1,15} B$")]  # noqa: N815
    sha256: Sha256


class _Document(BaseModel):
    distribution: list[_FileObject]


def parse(content: bytes) -> dict[str, FileFacts]:
    """What croissant.json says of every file, after its own bytes were proved whole.

    Raises:
        IntegrityError: altered, not written by this package, a file named twice, or a name that
            leaves the dataset's folder.
    """
    found = _IDENTIFIER.search(content)
    if found is None:
        raise IntegrityError(f"{CROISSANT_FILE}: altered, its identifier is not there")
    zeroed = content[: found.start(1)] + _ZEROS.encode() + content[found.end(1) :]
    try:
        document = _Document.model_validate_json(content)
    except ValidationError as error:
        raise IntegrityError(f"{CROISSANT_FILE}: {why(error)}") from None
    if hashlib.sha256(zeroed).hexdigest().encode() != found[1]:
        raise IntegrityError(f"{CROISSANT_FILE}: altered, its bytes do not fit its identifier")
    files = {
        entry.contentUrl: FileFacts(entry.sha256, int(entry.contentSize.removesuffix(" B")))
        for entry in document.distribution
    }
    if len(files) < len(document.distribution) or CROISSANT_FILE in files:
        raise IntegrityError(f"{CROISSANT_FILE}: a file is named twice")
    return files
