"""Look at what an output folder holds already, and refuse what a build must not touch."""

import os
from pathlib import Path

from pydantic import ValidationError

from dmef_bench.dataset.layout import PULL_FOLDER, foreign_files, read_plain_file, walk
from dmef_bench.dataset.manifest import MAX_MANIFEST_BYTES, Manifest, read_manifest
from dmef_bench.dataset.records import DATASET_FILE, DatasetRecord
from dmef_bench.dataset.settings import differences
from dmef_bench.dataset.verify import verify
from dmef_bench.errors import IntegrityError, UsageError
from dmef_bench.video import shown_name


def refuse_foreign(output: Path) -> None:
    """Refuse an output folder in which something lies that belongs to no dataset.

    Raises:
        UsageError: naming what was found.
    """
    if not output.exists():
        return
    if not output.is_dir():
        raise UsageError(f"{output}: a file; choose another output folder")
    foreign = foreign_files(output)
    if foreign:
        more = f" and {len(foreign) - 1} more" if len(foreign) > 1 else ""
        raise UsageError(
            f"{output}: {shown_name(Path(foreign[0]))}{more} in it belongs to no dataset; "
            "choose an empty or new output folder"
        )


def dataset_to_extend(
    output: Path, settings: DatasetRecord, *, overwrite: bool, workers: int
) -> Manifest | None:
    """The dataset in `output`, proved whole and built with these settings.

    Returns:
        None where there is none, or where it shall be overwritten.

    Raises:
        UsageError: built with other settings, or files of a dataset without its `dataset.json`.
        IntegrityError: damaged.
    """
    if not output.exists():
        return None
    if os.path.lexists(output / PULL_FOLDER):
        raise UsageError(
            f"{output}: a pull was interrupted here; finish it first, or choose another output "
            "folder"
        )
    if not os.path.lexists(output / DATASET_FILE):
        for name, _ in walk(output):
            raise UsageError(
                f"{output}: holds {name} but no {DATASET_FILE}, so it is no dataset to go on "
                "with; choose another output folder"
            )
        return None
    content = read_plain_file(output, DATASET_FILE, MAX_MANIFEST_BYTES)
    try:
        there = DatasetRecord.model_validate_json(content)
    except ValidationError as error:
        raise IntegrityError(
            f"{output / DATASET_FILE}: not a dataset of this package, or damaged; it is not "
            "touched, choose another output folder"
        ) from error
    if overwrite:
        return None
    refuse_other_settings(output, there, settings)
    report = verify(output, workers=workers)
    damage = [problem for problem in report.problems if problem.kind != "unfinished"]
    if damage:
        first = damage[0]
        more = f" and {len(damage) - 1} more" if len(damage) > 1 else ""
        raise IntegrityError(
            f"{output}: the dataset to extend is damaged: {first.name}: {first.kind}, "
            f"{first.detail}{more}; put the files back, or build anew with --overwrite"
        )
    return read_manifest(output)


def refuse_other_settings(folder: Path, there: DatasetRecord, now: DatasetRecord) -> None:
    """Refuse to go on in `folder` with other settings than it was begun with.

    Raises:
        UsageError: with every difference.
    """
    changed = differences(there, now)
    if changed:
        raise UsageError(
            f"{folder}: built with other settings ({'; '.join(changed)}); use the same ones, "
            "choose another output folder, or add --overwrite"
        )
