"""Number the finished scenes, write the manifest and everything that is derived from it."""

import hashlib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from dmef_bench.atomic_write import atomic_write
from dmef_bench.dataset.assembly import Move, Plan
from dmef_bench.dataset.card import describe, render_card
from dmef_bench.dataset.croissant import FileFacts, parse, render
from dmef_bench.dataset.layout import walk
from dmef_bench.dataset.manifest import Manifest
from dmef_bench.dataset.markers import MadeVideo, numbered
from dmef_bench.dataset.records import (
    CARD_FILE,
    CROISSANT_FILE,
    DATASET_FILE,
    METADATA_FILE,
    SPLITS,
    DatasetRecord,
    SceneRecord,
)
from dmef_bench.dataset.split import place
from dmef_bench.dataset.survey import Video
from dmef_bench.dataset.work_folder import WorkFolder

_STAGED = "final"


def compose(
    output: Path,
    work: WorkFolder,
    base: Manifest | None,
    record: DatasetRecord,
    made: Mapping[str, MadeVideo],
    videos: Mapping[str, Video],
) -> tuple[Manifest, Plan]:
    """Lay the files of the dataset ready in the work folder.

    Args:
        output: the dataset's folder.
        work: its work folder, which holds the pictures of `made`.
        base: the dataset that is extended; its lines are taken over byte by byte.
        record: `dataset.json` but for the counts.
        made: new scenes by their video's digest.
        videos: the videos they were made from.

    Returns:
        The new manifest, and what to move to get there: nothing if all is there already.
    """
    manifest, moves = _number(work, base, record, made, videos)
    if base is not None and manifest.files == base.files:
        return base, Plan(moves=())
    facts = {} if base is None else parse((output / CROISSANT_FILE).read_bytes())
    for digest, video in made.items():
        for file in (file for scene in video.scenes for file in scene.files):
            facts[moves[work.inner_name(digest, file.name)].target] = FileFacts(
                file.sha256, file.size
            )
    texts = {**manifest.files, CARD_FILE: render_card(manifest)}
    facts |= {name: _facts(content) for name, content in texts.items()}
    texts[CROISSANT_FILE] = render(manifest, describe(manifest), record.settings["license"], facts)
    for name, content in texts.items():
        source = f"{_STAGED}/{name}"
        atomic_write(work.path / source, content)
        moves[source] = Move(source=source, target=name, sha256=_facts(content).sha256)
    stale = {name for name, _ in walk(output)} - facts.keys() - {CROISSANT_FILE}
    return manifest, Plan(moves=tuple(moves.values()), removals=tuple(sorted(stale)))


def _facts(content: bytes) -> FileFacts:
    return FileFacts(hashlib.sha256(content).hexdigest(), len(content))


def _number(
    work: WorkFolder,
    base: Manifest | None,
    record: DatasetRecord,
    made: Mapping[str, MadeVideo],
    videos: Mapping[str, Video],
) -> tuple[Manifest, dict[str, Move]]:
    old = {split: () if base is None else base.scenes.get(split, ()) for split in SPLITS}
    placed = place(
        {digest: len(video.scenes) for digest, video in made.items()},
        *({scene.scene: scene.source.sha256 for scene in old[split]} for split in SPLITS),
    )
    added: dict[str, list[SceneRecord]] = {split: [] for split in SPLITS}
    moves = {}
    for (digest, index), (split, number) in placed.items():
        made_scene = made[digest].scenes[index]
        added[split].append(numbered(made_scene.scene, number, videos[digest].name))
        for file in made_scene.files:
            source = work.inner_name(digest, file.name)
            target = f"{split}/{number}/{PurePosixPath(file.name).name}"
            moves[source] = Move(source=source, target=target, sha256=file.sha256)
    scenes = {split: (*old[split], *added[split]) for split in SPLITS if old[split] or added[split]}
    counts = {split: len(members) for split, members in scenes.items()}
    record = record.model_copy(update={"scenes": counts})
    files = {DATASET_FILE: record.as_file()}
    for split in scenes:
        name = f"{split}/{METADATA_FILE}"
        before = b"" if base is None else base.files.get(name, b"")
        files[name] = before + b"".join(scene.as_line() for scene in added[split])
    return Manifest(record, scenes, files), moves
