"""Read `dataset.json` and the `metadata.jsonl` of each split, and nothing they must not say."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

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


@dataclass(frozen=True)
class Manifest:
    """What a dataset says about itself.

    Attributes:
        record: `dataset.json`.
        scenes: split -> its scenes in order; splits without scenes are absent.
        files: name -> bytes of `dataset.json` and each `metadata.jsonl`.
    """

    record: DatasetRecord
    scenes: dict[str, tuple[SceneRecord, ...]]
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


def why(error: ValidationError) -> str:
    """The first thing a record has wrong, in one line."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"])
    return f"{place}: {first['msg']}" if place else str(first["msg"])


def _read_scenes(content: bytes, split: str, path: Path) -> tuple[SceneRecord, ...]:
    scenes = []
    for number, line in enumerate(content.splitlines(), 1):
        try:
            scene = SceneRecord.model_validate_json(line)
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
    """Read and check the manifest of the dataset in `folder`.

    Raises:
        IntegrityError: a file is missing, a link, too large, broken, of another schema, names a
            file outside its scene's folder, or the files contradict each other.
    """
    files = {DATASET_FILE: read_plain_file(folder, DATASET_FILE, MAX_MANIFEST_BYTES)}
    try:
        record = DatasetRecord.model_validate_json(files[DATASET_FILE])
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
        scenes[split] = _read_scenes(files[name], split, folder / name)
        if len(scenes[split]) != record.scenes[split]:
            raise IntegrityError(
                f"{folder / name}: {len(scenes[split])} scenes, but {DATASET_FILE} "
                f"speaks of {record.scenes[split]}"
            )
    return Manifest(record, scenes, files)
