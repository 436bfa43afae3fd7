"""Export a dataset as WebDataset shards: tar files with equal bytes for equal datasets."""

import hashlib
import os
import shutil
import tarfile
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath

from pydantic import ValidationError

from dmef_bench.atomic_write import atomic_write, explained, fsync_folder, sha256_of_file
from dmef_bench.dataset.layout import plain_file, read_plain_file, refuse_inside
from dmef_bench.dataset.lock import held
from dmef_bench.dataset.manifest import AnyManifest, AnySceneRecord, read_any_manifest
from dmef_bench.dataset.records import DiskRecord, Sha256
from dmef_bench.errors import IntegrityError, UsageError
from dmef_bench.progress import progress_bar
from dmef_bench.video import shown_name

LIST_FILE = "shards.json"
SUMS_FILE = "SHA256SUMS"
EXPORT_FOLDER = ".dmef-export"
DEFAULT_SHARD_SIZE = 1 << 30
_BLOCK = tarfile.BLOCKSIZE


class Shard(DiskRecord):
    """One tar file of an export.

    Attributes:
        name: for example "train-000000.tar".
        scenes: how many scenes of its split are in it.
        size: in bytes.
    """

    name: str
    scenes: int
    size: int
    sha256: Sha256


class ShardList(DiskRecord):
    """`shards.json`, written last: without it an export is unfinished.

    Attributes:
        dataset: name of the exported dataset.
        digest: of the exported dataset.
        shard_size: bytes above which a shard was closed.
        shards: those of train, then those of test; empty while the export is unfinished.
    """

    schema_version: int = 1
    dataset: str
    digest: Sha256
    shard_size: int
    shards: tuple[Shard, ...] = ()


@dataclass(frozen=True)
class ExportReport:
    """What an export did.

    Attributes:
        output: the folder.
        listed: what is in it now.
        written: how many shards this call wrote; the others were there, and whole.
    """

    output: Path
    listed: ShardList
    written: int


@dataclass(frozen=True)
class _Planned:
    name: str
    split: str
    scenes: list[AnySceneRecord]


def export_shards(
    dataset: Path, output: Path, *, shard_size: int = DEFAULT_SHARD_SIZE, quiet: bool = True
) -> ExportReport:
    """Write the dataset in a folder as WebDataset shards, or go on with an interrupted export.

    A scene is a sample: its number is the key, its pictures are `low.png`, `mid.png` and so on,
    and `json` is its line of metadata.jsonl. The bytes depend on the dataset and `shard_size` only.

    Args:
        dataset: the dataset's folder.
        output: new, empty, or an export of the same dataset with the same `shard_size`.
        shard_size: bytes a shard may have; a larger scene is alone in its shard.
        quiet: show no progress bar.

    Raises:
        UsageError: `output` holds other things or lies in the dataset, or `shard_size` is no
            positive number.
        IntegrityError: a picture is missing or altered.
        MissingError: the disk is full or read-only.
    """
    if shard_size < 1:
        raise UsageError(f"shard size {shard_size}: at least 1 byte")
    if not dataset.is_dir():
        raise UsageError(f"{dataset}: no such folder; build a dataset, or pull one")
    refuse_inside(dataset, output)
    manifest = read_any_manifest(dataset)
    begun = ShardList(dataset=manifest.record.name, digest=manifest.digest, shard_size=shard_size)
    plan = _plan(dataset, manifest, shard_size)
    _refuse_other(output, begun)
    _refuse_foreign(output, {planned.name for planned in plan})
    work = output / EXPORT_FOLDER
    with held(work, f"{output}: another export is at work here; wait for its end"):
        atomic_write(work / LIST_FILE, _bytes(begun))
        known = {shard.name: shard for shard in _known(output)}
        shards, written = [], 0
        with progress_bar(quiet=quiet) as bar:
            task = bar.add_task("export", total=len(plan))
            for planned in plan:
                shard = known.get(planned.name)
                if shard is None or not _whole(output, shard):
                    shard = _write(dataset, output, planned)
                    written += 1
                shards.append(shard)
                bar.advance(task)
        listed = begun.model_copy(update={"shards": tuple(shards)})
        sums = "".join(f"{shard.sha256}  {shard.name}\n" for shard in shards)
        atomic_write(output / SUMS_FILE, sums.encode())
        atomic_write(output / LIST_FILE, _bytes(listed))
        with explained(work):
            shutil.rmtree(work)
            fsync_folder(output)
    return ExportReport(output, listed, written)


def _plan(dataset: Path, manifest: AnyManifest, shard_size: int) -> list[_Planned]:
    """Which scenes go into which shard; every picture is there."""
    plan: list[_Planned] = []
    for split, scenes in manifest.scenes.items():
        number, filled = 0, shard_size
        for scene in scenes:
            size = _blocks(len(scene.as_line())) + sum(
                _blocks(plain_file(dataset, f"{split}/{name}").st_size)
                for name, _ in scene.pictures().values()
            )
            if _tar_size(filled + size) > shard_size:
                plan.append(_Planned(f"{split}-{number:06d}.tar", split, []))
                number, filled = number + 1, 0
            plan[-1].scenes.append(scene)
            filled += size
    return plan


def _blocks(size: int) -> int:
    """What a file of this size takes in a tar file, its header included."""
    return _BLOCK + -(-size // _BLOCK) * _BLOCK


def _tar_size(blocks: int) -> int:
    """Size of a tar file with so many bytes of members: two empty blocks, then whole records."""
    return -(-(blocks + 2 * _BLOCK) // tarfile.RECORDSIZE) * tarfile.RECORDSIZE


def _write(dataset: Path, output: Path, planned: _Planned) -> Shard:
    path = output / EXPORT_FOLDER / planned.name
    with explained(path), path.open("wb") as stream:
        with tarfile.open(fileobj=stream, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for scene in planned.scenes:
                for picture, (name, sha256) in scene.pictures().items():
                    content = _proved(dataset, f"{planned.split}/{name}", sha256)
                    _add(tar, f"{scene.scene}.{picture}{PurePosixPath(name).suffix}", content)
                _add(tar, f"{scene.scene}.json", scene.as_line())
        stream.flush()
        os.fsync(stream.fileno())
    shard = Shard(
        name=planned.name,
        scenes=len(planned.scenes),
        size=path.stat().st_size,
        sha256=sha256_of_file(path),
    )
    atomic_write(path.with_suffix(".json"), shard.model_dump_json().encode())
    with explained(output):
        path.replace(output / planned.name)
    return shard


def _proved(dataset: Path, name: str, sha256: str) -> bytes:
    content = read_plain_file(dataset, name, plain_file(dataset, name).st_size)
    if hashlib.sha256(content).hexdigest() != sha256:
        raise IntegrityError(
            f"{dataset / name}: altered, its SHA-256 is not the one in the manifest; the shards "
            "before it are kept"
        )
    return content


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)  # owner 0, time 0, mode 644: nothing of this machine
    member.size = len(content)
    tar.addfile(member, BytesIO(content))


def _known(output: Path) -> list[Shard]:
    """What earlier calls say of the shards they finished."""
    found = []
    with explained(output):
        for path in sorted((output / EXPORT_FOLDER).glob("*-*.json")):
            try:
                found.append(Shard.model_validate_json(path.read_bytes()))
            except ValidationError:  # torn by a power cut: that shard is written again
                continue
    there = _read(output / LIST_FILE)
    return found if there is None else [*there.shards, *found]


def _whole(output: Path, shard: Shard) -> bool:
    path = output / shard.name
    return (
        path.is_file()
        and path.stat().st_size == shard.size
        and sha256_of_file(path) == shard.sha256
    )


def _refuse_foreign(output: Path, names: set[str]) -> None:
    if not output.exists():
        return
    if not output.is_dir():
        raise UsageError(f"{output}: a file; choose another output folder")
    own = names | {LIST_FILE, SUMS_FILE, EXPORT_FOLDER}
    for path in sorted(output.iterdir()):
        if path.name not in own or path.is_symlink():
            raise UsageError(
                f"{output}: {shown_name(Path(path.name))} in it is no part of this export; choose "
                "an empty or new output folder"
            )


def _refuse_other(output: Path, begun: ShardList) -> None:
    for path in (output / LIST_FILE, output / EXPORT_FOLDER / LIST_FILE):
        there = _read(path)
        if there is not None and there.model_copy(update={"shards": ()}) != begun:
            raise UsageError(
                f"{output}: holds an export of {there.dataset} (digest {there.digest[:8]}, shards "
                f"of {there.shard_size:,} bytes), not of {begun.dataset} (digest "
                f"{begun.digest[:8]}, {begun.shard_size:,} bytes); choose another output folder"
            )


def _read(path: Path) -> ShardList | None:
    try:
        return ShardList.model_validate_json(path.read_bytes())
    except (FileNotFoundError, NotADirectoryError):
        return None
    except ValidationError as error:
        raise IntegrityError(f"{path}: damaged; remove this folder and export again") from error


def _bytes(listed: ShardList) -> bytes:
    return listed.model_dump_json(indent=2).encode() + b"\n"
