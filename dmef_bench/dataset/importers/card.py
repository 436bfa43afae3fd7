"""`README.md` of an imported dataset."""

from collections.abc import Mapping

from dmef_bench.dataset.imported_records import ImportedDatasetRecord, ImportedSceneRecord

_TEXT = """\
---
pretty_name: "{name}"
license: other
task_categories:
- image-to-image
tags:
- multi-exposure-fusion
- hdr
configs:
- config_name: default
  data_files:
{data_files}
---

# {name}

{description} The pictures belong to their authors{citation}; their licence is the authors'. This \
folder is a copy in another order and should not be published without their consent.

| split | scenes |
|---|---|
{counts}

Each scene is a folder: `low`, `mid` and `high` are the three exposures, ordered by EV, and `gt` \
is the ground truth in linear light, aligned to `mid`. An exposure becomes linear by \
value^2.2 / 2^EV with the EVs of `*/metadata.jsonl`, and is then comparable with `gt`.

Imported by dmef-bench {version}.

| setting | value |
|---|---|
{settings}

`dataset.json` holds the same with the scenes that were left out; `*/metadata.jsonl` has a line a \
scene; `croissant.json` has the SHA-256 of every file, checked by `dmef-bench verify`.
"""


def describe_imported(record: ImportedDatasetRecord) -> str:
    """The dataset in one sentence."""
    return (
        f"{sum(record.scenes.values())} photographed scenes of {record.name} for multi-exposure "
        "fusion: three exposures and a ground truth in linear light."
    )


def render_imported_card(
    record: ImportedDatasetRecord, scenes: Mapping[str, tuple[ImportedSceneRecord, ...]]
) -> bytes:
    """The bytes of README.md; equal records give equal bytes."""
    return _TEXT.format(
        name=record.name,
        description=describe_imported(
            record.model_copy(update={"scenes": {key: len(of) for key, of in scenes.items()}})
        ),
        citation=f" ({record.citation})" if record.citation else "",
        data_files="\n".join(f'  - split: {split}\n    path: "{split}/**"' for split in scenes),
        counts="\n".join(f"| {split} | {len(lines)} |" for split, lines in scenes.items()),
        version=record.package_version,
        settings="\n".join(
            f"| {name} | {value.replace('|', '/')} |" for name, value in record.settings.items()
        ),
    ).encode()
