"""What a run is going to be, before it begins: method, scenes, folder and record."""

import inspect
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch

from baselines import Method
from dmef_bench import __version__
from dmef_bench.atomic_write import sha256_of_file
from dmef_bench.dataset import Dataset, Scene
from dmef_bench.errors import UsageError
from dmef_bench.evaluation.machine import describe_machine, software_versions
from dmef_bench.evaluation.macs import count_parameters
from dmef_bench.evaluation.method_call import MethodCall
from dmef_bench.evaluation.options import RunOptions
from dmef_bench.evaluation.protocols import PaperProtocol, Protocol, TiledProtocol
from dmef_bench.evaluation.ready_method import ready_method
from dmef_bench.evaluation.scoring import Scorer
from leaderboard.records import (
    DatasetRecord,
    MethodRecord,
    ProtocolRecord,
    PublishedRecord,
    RunRecord,
)


@dataclass(frozen=True)
class Plan:
    """A run that could begin now: nothing is written yet.

    Attributes:
        call: the loaded method.
        protocol: how it is fed.
        scenes: in the split's order.
        folder: where the run lies or will lie.
        record: its `run.json` at the beginning.
    """

    call: MethodCall
    protocol: Protocol
    scenes: list[Scene]
    folder: Path
    record: RunRecord


def plan_run(
    method_class: type[Method], dataset: Dataset, scorer: Scorer, options: RunOptions
) -> Plan:
    """Load the method and lay out its run.

    Raises:
        UsageError: the method can't be loaded, or an option or the split doesn't fit.
        WeightsMissingError: the method needs weights and was given none.
    """
    protocol = options.protocol_for(method_class.info)
    scenes = chosen_scenes(dataset, options.split, options.limit)
    method = ready_method(method_class, options.weights, options.device)
    call = MethodCall(method, options.precision)
    record = RunRecord(
        package_version=__version__,
        command=options.command,
        started=now(),
        method=_method_record(method),
        dataset=dataset_record(dataset, options.split, len(scenes)),
        protocol=ProtocolRecord(
            name=protocol.name,
            resolution=protocol.resolution,
            overlap=protocol.overlap if isinstance(protocol, TiledProtocol) else None,
            precision=options.precision,
        ),
        metrics=scorer.definitions,
        lpips_unavailable=scorer.lpips_unavailable,
        machine=describe_machine(options.device),
        software=software_versions(),
    )
    settings = common_settings(record) | {
        "antialias": str(protocol.antialias) if isinstance(protocol, PaperProtocol) else "n/a",
        "repeats": str(options.repeats),
        "pictures": str(options.pictures),
        "save_predictions": str(options.save_predictions),
        "source_sha256": _source_sha256(method_class),
        "device": record.machine.device,
        "threads": str(record.machine.threads),
        "torch": record.software.get("torch", "unknown"),
        "tf32": str(torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32)
        if options.device.type == "cuda"
        else "n/a",
    }
    folder = options.results / run_folder_name(record)
    return Plan(call, protocol, scenes, folder, record.model_copy(update={"settings": settings}))


def chosen_scenes(dataset: Dataset, split: str, limit: int | None) -> list[Scene]:
    """The first `limit` scenes of a split.

    Raises:
        UsageError: the split has no scene.
    """
    scenes = dataset.scenes(split)[:limit]
    if not scenes:
        raise UsageError(f"{dataset.path}: the {split} split has no scenes")
    return scenes


def dataset_record(dataset: Dataset, split: str, scenes: int) -> DatasetRecord:
    """The part of a run's record that says which pictures."""
    return DatasetRecord(
        name=dataset.record.name,
        digest=dataset.digest,
        track=dataset.record.track,
        split=split,
        scenes=scenes,
    )


def common_settings(record: RunRecord) -> dict[str, str]:
    """What any run and any scoring of pictures must have in common to be one."""
    return {
        "method": record.method.name,
        "weights_sha256": record.method.weights_sha256 or "none",
        "dataset": record.dataset.digest,
        "split": record.dataset.split,
        "protocol": record.protocol.name,
        "resolution": str(record.protocol.resolution),
        "overlap": str(record.protocol.overlap),
        "precision": record.protocol.precision,
        "psnr": record.metrics.psnr,
        "ssim": record.metrics.ssim,
        "lpips": record.metrics.lpips or "n/a",
        "package": record.package_version,
    }


def run_folder_name(record: RunRecord) -> Path:
    """<method>@<weights sha, 8>/<dataset digest, 8>/<track>-<protocol>[-<resolution>]."""
    weights = (record.method.weights_sha256 or "none")[:8]
    resolution = record.protocol.resolution
    size = f"-{resolution[0]}x{resolution[1]}" if resolution else ""
    return Path(
        f"{record.method.name}@{weights}",
        record.dataset.digest[:8],
        f"{record.dataset.track}-{record.protocol.name}{size}",
    )


def now() -> str:
    """Date and time in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def _method_record(method: Method) -> MethodRecord:
    info = method.info
    network = method.network()
    return MethodRecord(
        name=info.name,
        title=info.title,
        year=info.year,
        paper=info.paper,
        licence=info.licence,
        kind=info.kind,
        weights_sha256=method.weights_sha256,
        parameters=None if network is None else count_parameters(network),
        published=tuple(PublishedRecord(**asdict(figure)) for figure in info.published),
    )


def _source_sha256(method_class: type[Method]) -> str:
    """Of the file that defines `fuse`; part of what a resumed run must match."""
    path = Path(inspect.getsourcefile(inspect.unwrap(method_class.fuse)) or "")
    return sha256_of_file(path) if path.is_file() else "unknown"
