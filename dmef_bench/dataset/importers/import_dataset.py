"""Write what an importer found as a dataset; resumable, the manifest last."""

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dmef_bench import __version__
from dmef_bench.atomic_write import atomic_write
from dmef_bench.dataset.assembly import waits_for_completion
from dmef_bench.dataset.croissant import FileFacts, render
from dmef_bench.dataset.existing import refuse_foreign
from dmef_bench.dataset.imported_records import ImportedDatasetRecord, ImportedSceneRecord
from dmef_bench.dataset.importers.card import describe_imported, render_imported_card
from dmef_bench.dataset.importers.found import (
    GAMMA_CAMERA,
    BrokenSceneError,
    Found,
    FoundScene,
    ScenePictures,
)
from dmef_bench.dataset.importers.keep_picture import keep_picture
from dmef_bench.dataset.layout import PULL_FOLDER, belongs, walk
from dmef_bench.dataset.manifest import AnyManifest, read_any_manifest
from dmef_bench.dataset.records import (
    CARD_FILE,
    CROISSANT_FILE,
    DATASET_FILE,
    METADATA_FILE,
    PICTURES,
    SPLITS,
    RejectionRecord,
)
from dmef_bench.dataset.work_folder import WorkFolder, hold
from dmef_bench.errors import IntegrityError, UsageError
from dmef_bench.progress import progress_bar
from dmef_bench.video import shown_name

_MARKER = "importing.json"
# EV by which a ground truth may miss its mid exposure before it is worth a word.
_LARGE_OFFSET = 0.5
_LICENCE = "other"


@dataclass(frozen=True)
class ImportReport:
    """What an import did.

    Attributes:
        path: the dataset's folder.
        digest: of the dataset; None where it was not finished because scenes are broken.
        scenes: how many of each split the dataset holds.
        broken: source of each broken scene -> why.
        notes: what a user should know, a sentence each.
    """

    path: Path
    digest: str | None
    scenes: dict[str, int]
    broken: dict[str, str]
    notes: tuple[str, ...]


def import_dataset(
    found: Found,
    output: Path,
    *,
    link: bool = False,
    skip_broken: bool = False,
    overwrite: bool = False,
    quiet: bool = True,
) -> ImportReport:
    """Copy the scenes into a dataset of their own and write its manifest.

    Every scene is looked at, so that all broken ones are known at once. Scenes keep their numbers
    whether others are broken or not. A killed import goes on with the same call: a picture that
    is there already is compared, not written again.

    Args:
        found: from one of the `find_...` functions.
        output: the dataset's folder; new, empty, or holding an import with the same settings.
        link: try hard links to the source files instead of copies.
        skip_broken: finish the dataset without the broken scenes.
        overwrite: replace a dataset with other settings.
        quiet: no progress bar.

    Raises:
        UsageError: the output folder holds something else, or every scene is broken.
        MissingError: the disk is full or the folder can't be written.
    """
    refuse_foreign(output)
    record = _record(found)
    with hold(output) as work:
        _refuse_unfinished(output, work)
        if not overwrite:
            _refuse_other(output, work, record)
        atomic_write(work.path / _MARKER, record.as_file())
        kept, broken = _scenes(found, output, link=link, quiet=quiet)
        if not kept:
            first = next(iter(broken.values()))
            raise UsageError(f"none of {len(broken)} scenes can be imported; the first: {first}")
        notes = (*found.notes, *_offset_notes(kept))
        if broken and not skip_broken:
            return ImportReport(output, None, {}, broken, notes)
        rejected = tuple(
            RejectionRecord(
                name=name, sha256=None, code="broken", reason=reason.replace(f"{found.root}/", "")
            )
            for name, reason in broken.items()
        )
        manifest = _finish(output, record.model_copy(update={"rejected": rejected}), kept)
        (work.path / _MARKER).unlink()
    return ImportReport(output, manifest.digest, dict(manifest.record.scenes), broken, notes)


def _record(found: Found) -> ImportedDatasetRecord:
    return ImportedDatasetRecord(
        name=found.name,
        package_version=__version__,
        importer=found.importer,
        citation=found.citation,
        settings=found.settings,
        scenes={},
    )


def _refuse_unfinished(output: Path, work: WorkFolder) -> None:
    """Refuse a folder in which a build or a pull was interrupted.

    Raises:
        UsageError: naming what to finish.
    """
    for verb, there in (
        ("build-dataset", work.settings() is not None or waits_for_completion(output)),
        ("pull", os.path.lexists(output / PULL_FOLDER)),
    ):
        if there:
            raise UsageError(
                f"{output}: an unfinished `dmef-bench {verb}` is in it; finish that first, or "
                "choose another output folder"
            )


def _refuse_other(output: Path, work: WorkFolder, record: ImportedDatasetRecord) -> None:
    """Refuse to go on where another dataset is, or was begun.

    Raises:
        UsageError: with the differences.
    """
    there: dict[str, object] | None = None
    for path in (output / DATASET_FILE, work.path / _MARKER):
        if os.path.lexists(path):
            try:
                found = json.loads(path.read_bytes())
            except (OSError, ValueError, RecursionError):
                found = None
            there = found if isinstance(found, dict) else {}
    if there is None:
        if any(True for _ in walk(output)):
            raise UsageError(
                f"{output}: holds files of a dataset without its {DATASET_FILE}; choose another "
                "output folder, or add --overwrite"
            )
        return
    if there.get("kind") != record.kind:
        raise UsageError(
            f"{output}: holds another dataset, which was not imported; choose another output "
            "folder, or add --overwrite"
        )
    before, now = _told(there), _told(record.model_dump(mode="json"))
    changed = [
        f"{key}: {before.get(key, 'not set')} there, {now.get(key, 'not set')} now"
        for key in sorted(before.keys() | now.keys())
        if before.get(key) != now.get(key)
    ]
    if changed:
        raise UsageError(
            f"{output}: holds another dataset ({shown_name(Path('; '.join(changed)))}); choose "
            "another output folder, or add --overwrite"
        )


def _told(record: Mapping[str, object]) -> dict[str, str]:
    """What an import was told, from its `dataset.json`."""
    found = {key: str(record.get(key)) for key in ("importer", "name", "package_version")}
    settings = record.get("settings")
    return found | {
        str(key): str(value)
        for key, value in (settings.items() if isinstance(settings, dict) else ())
    }


def _scenes(
    found: Found, output: Path, *, link: bool, quiet: bool
) -> tuple[dict[str, list[ImportedSceneRecord]], dict[str, str]]:
    """Bring every good scene into place; the broken ones with the reason."""
    kept: dict[str, list[ImportedSceneRecord]] = {}
    broken: dict[str, str] = {}
    numbers = dict.fromkeys(SPLITS, 0)
    with progress_bar(quiet=quiet) as bar:
        for scene in bar.track(found.scenes, description=f"import {found.name}"):
            numbers[scene.split] += 1
            number = f"{numbers[scene.split]:04d}"
            try:
                pictures = scene.read()
            except BrokenSceneError as error:
                broken[shown_name(Path(scene.name))] = _plain(str(error))
                continue
            line = _place(scene, pictures, output, number, link=link)
            kept.setdefault(scene.split, []).append(line)
    return kept, broken


def _place(
    scene: FoundScene, pictures: ScenePictures, output: Path, number: str, *, link: bool
) -> ImportedSceneRecord:
    columns: dict[str, object] = {}
    for picture in PICTURES:
        suffix, content = pictures.files[picture]
        sha256 = hashlib.sha256(content).hexdigest()
        name = f"{number}/{picture}{suffix}"
        keep_picture(
            output / scene.split / name,
            content,
            sha256,
            pictures.sources.get(picture) if link else None,
        )
        columns |= {f"{picture}_file_name": name, f"{picture}_sha256": sha256}
    return ImportedSceneRecord.model_validate(
        {
            "scene": number,
            "source": shown_name(Path(scene.name)),
            **columns,
            "width": pictures.width,
            "height": pictures.height,
            "evs": pictures.evs,
            "stated_evs": pictures.stated_evs,
            "response": GAMMA_CAMERA,
            "truth_scale": pictures.truth_scale,
            "truth_offset": pictures.truth_offset,
        }
    )


def _finish(
    output: Path, record: ImportedDatasetRecord, kept: dict[str, list[ImportedSceneRecord]]
) -> AnyManifest:
    """Write the text files and take away what is no part of the dataset any more."""
    scenes = {split: tuple(kept[split]) for split in SPLITS if split in kept}
    record = record.model_copy(update={"scenes": {key: len(of) for key, of in scenes.items()}})
    files = {DATASET_FILE: record.as_file()}
    for split, lines in scenes.items():
        files[f"{split}/{METADATA_FILE}"] = b"".join(line.as_line() for line in lines)
    manifest = AnyManifest(record, scenes, files)
    texts = {**files, CARD_FILE: render_imported_card(record, scenes)}
    facts = {
        name: FileFacts(sha256, (output / name).stat().st_size)
        for name, sha256 in manifest.pictures().items()
    }
    facts |= {
        name: FileFacts(hashlib.sha256(content).hexdigest(), len(content))
        for name, content in texts.items()
    }
    texts[CROISSANT_FILE] = render(manifest, describe_imported(record), _LICENCE, facts)
    for name, _ in list(walk(output)):
        if name not in facts and name not in texts and belongs(name):
            (output / name).unlink()
    for name, content in texts.items():
        atomic_write(output / name, content)
    for folder in sorted(output.glob("*/*"), reverse=True):
        if folder.is_dir() and folder.parent.name in SPLITS and not any(folder.iterdir()):
            folder.rmdir()
    try:
        return read_any_manifest(output)
    except IntegrityError as error:
        raise IntegrityError(f"{output}: what was written can't be read again: {error}") from error


def _offset_notes(kept: dict[str, list[ImportedSceneRecord]]) -> list[str]:
    """A sentence on scenes whose ground truth is far from the brightness its mid exposure says."""
    far = [
        line
        for lines in kept.values()
        for line in lines
        if line.truth_offset is not None and abs(line.truth_offset) > _LARGE_OFFSET
    ]
    if not far:
        return []
    worst = max(far, key=lambda line: abs(line.truth_offset or 0.0))
    return [
        f"the ground truth of {len(far)} scenes is off the brightness of their mid exposure by "
        f"more than {_LARGE_OFFSET:g} EV, {worst.source} by {worst.truth_offset:+.2f}; are the "
        "EVs and the scale of the ground truth right?"
    ]


def _plain(text: str) -> str:
    return shown_name(Path(text)) if not text.isprintable() else text
