"""Read `dataset.json` and the `metadata.jsonl` of each split, and nothing they must not say."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from dmef_bench.dataset.imported_records import ImportedDatasetRecord, ImportedSceneRecord
from dmef_bench.dataset.layout import belongs, read_plain_file
from dmef_bench.dataset.records import (
    DATASET_FILE,
    METADATA_FILE,
    SPLITS,
    DatasetRecord,
    SceneRecord,
)
from dmef_bench.errors import IntegrityError

# A scene's line takes 2 kB; a hundred thousand scenes fit.
MAX_MANIFEST_BYTES = 256 * 1024 * 1024


AnyDatasetRecord = DatasetRecord | ImportedDatasetRecord
AnySceneRecord = SceneRecord | ImportedSceneRecord


@dataclass(frozen=True)
class AnyManifest:
    """What a dataset, built or imported, says about itself.

    Attributes:
        record: `dataset.json`.
        scenes: split -> its scenes in order; splits without scenes are absent.
        files: name -> bytes of `dataset.json` and each `metadata.jsonl`.
    """

    record: AnyDatasetRecord
    scenes: Mapping[str, tuple[AnySceneRecord, ...]]
    files: dict[str, bytes]

    @property
    def digest(self) -> str:
        """SHA-256 over name, size and bytes of dataset.json and each metadata.jsonl.

        Every picture's SHA-256 is in there, so it changes when any picture does.
        """
        digest = hashlib.sha256()
        for name, content in self.files.items():
            digest.update(f"{name} {len(content)}\n".encode() + content)
        return digest.hexdigest()

    def pictures(self) -> dict[str, str]:
        """Name of every picture, relative to the dataset's folder -> SHA-256."""
        return {
            f"{split}/{name}": sha256
            for split, scenes in self.scenes.items()
            for scene in scenes
            for name, sha256 in scene.pictures().values()
        }


@dataclass(frozen=True)
class Manifest(AnyManifest):
    """What a dataset that was built says about itself."""

    record: DatasetRecord
    scenes: dict[str, tuple[SceneRecord, ...]]


def why(error: ValidationError) -> str:
    """The first thing a record has wrong, in one line."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else str(first["msg"])


def _read_scenes(
    content: bytes, split: str, path: Path, kind: type[SceneRecord] | type[ImportedSceneRecord]
) -> tuple[AnySceneRecord, ...]:
    scenes = []
    for number, line in enumerate(content.splitlines(), 1):
        try:
            scene = kind.model_validate_json(line)
        except ValidationError as error:
            raise IntegrityError(f"{path}, line {number}: {why(error)}") from None
        for name, _ in scene.pictures().values():
            if not (name.startswith(f"{scene.scene}/") and belongs(f"{split}/{name}")):
                raise IntegrityError(
                    f"{path}, line {number}: {name!r} is no picture of scene {scene.scene}"
                )
        scenes.append(scene)
    if len({scene.scene for scene in scenes}) < len(scenes):
        raise IntegrityError(f"{path}: a scene number is there twice")
    return tuple(scenes)


def read_manifest(folder: Path) -> Manifest:
    """Read and check the manifest of the dataset that was built in `folder`.

    Raises:
        IntegrityError: as `read_any_manifest`, or the dataset was imported.
    """
    manifest = read_any_manifest(folder)
    if isinstance(manifest, Manifest):
        return manifest
    raise IntegrityError(
        f"{folder}: a dataset that was imported, not built from videos; this takes a built one"
    )


def read_any_manifest(folder: Path) -> AnyManifest:
    """Read and check the manifest of the dataset in `folder`, built or imported.

    Returns:
        A `Manifest` where it was built.

    Raises:
        IntegrityError: a file is missing, a link, too large, broken, of another schema, names a
            file outside its scene's folder, or the files contradict each other.
    """
    files = {DATASET_FILE: read_plain_file(folder, DATASET_FILE, MAX_MANIFEST_BYTES)}
    imported = _is_imported(files[DATASET_FILE])
    try:
        record: AnyDatasetRecord = (
            ImportedDatasetRecord if imported else DatasetRecord
        ).model_validate_json(files[DATASET_FILE])
    except ValidationError as error:
        raise IntegrityError(f"{folder / DATASET_FILE}: {why(error)}") from None
    if not record.scenes or set(record.scenes) - set(SPLITS) or min(record.scenes.values()) < 1:
        raise IntegrityError(f"{folder / DATASET_FILE}: scenes: counts of train and test are due")
    scenes = {}
    for split in SPLITS:
        if split not in record.scenes:
            continue
        name = f"{split}/{METADATA_FILE}"
        files[name] = read_plain_file(folder, name, MAX_MANIFEST_BYTES)
        scenes[split] = _read_scenes(
            files[name], split, folder / name, ImportedSceneRecord if imported else SceneRecord
        )
        if len(scenes[split]) != record.scenes[split]:
            raise IntegrityError(
                f"{folder / name}: {len(scenes[split])} scenes, but {DATASET_FILE} "
                f"speaks of {record.scenes[split]}"
            )
        if isinstance(record, DatasetRecord):
            _check_tracks(record, scenes[split], folder / name)
    return (AnyManifest if imported else Manifest)(record, scenes, files)  # type: ignore[arg-type]


def _check_tracks(record: DatasetRecord, scenes: tuple[AnySceneRecord, ...], path: Path) -> None:
    for scene in scenes:
        if isinstance(scene, SceneRecord) and scene.tracks != record.tracks:
            raise IntegrityError(
                f"{path}: scene {scene.scene} has the track {'+'.join(scene.tracks)}, but "
                f"{DATASET_FILE} speaks of {record.track}"
            )


def _is_imported(content: bytes) -> bool:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return False  # the record's own check says what is wrong with it
    return isinstance(found, dict) and found.get("kind") == "imported"
