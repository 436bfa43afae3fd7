"""What a run is going to be, before it begins: method, scenes, folder and record."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import torch

from baselines import Method
from dmef_bench import __version__
from dmef_bench.dataset import Dataset, Scene
from dmef_bench.dataset.layout import refuse_inside
from dmef_bench.errors import UsageError
from dmef_bench.evaluation.light_scorer import suited
from dmef_bench.evaluation.machine import describe_machine, software_versions
from dmef_bench.evaluation.macs import count_parameters
from dmef_bench.evaluation.measured_size import measured_size
from dmef_bench.evaluation.method_call import MethodCall
from dmef_bench.evaluation.method_source import source_sha256
from dmef_bench.evaluation.options import RunOptions
from dmef_bench.evaluation.predicted_pixels import LIGHT_OUTPUT
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
        UsageError: the method can't be loaded, an option or the split doesn't fit, or the results
            would lie in the dataset.
        WeightsMissingError: the method needs weights and was given none.
    """
    refuse_inside(dataset.path, options.results)
    scenes = chosen_scenes(dataset, options.split, options.limit, options.track)
    scorer = suited(scorer, scenes[0])
    if not options.measures_resolution:
        options.protocol_for(method_class.info)  # sizes that don't go together are told at once
    method = ready_method(method_class, options.weights, options.device, options.linear)
    protocol = options.protocol_for(
        method.info, measured_size(method, options) if options.measures_resolution else None
    )
    call = MethodCall(method, options.precision)
    record = RunRecord(
        package_version=__version__,
        command=options.command,
        started=now(),
        method=_method_record(method),
        dataset=dataset_record(dataset, options.split, len(scenes), options.track),
        protocol=ProtocolRecord(
            name=protocol.name,
            resolution=protocol.resolution,
            overlap=protocol.overlap if isinstance(protocol, TiledProtocol) else None,
            precision=options.precision,
            linear=options.linear,
            memory_budget=options.memory_budget,
            measured=options.measures_resolution,
        ),
        metrics=scorer.definitions,
        lpips_unavailable=scorer.lpips_unavailable,
        machine=describe_machine(method.device),
        software=software_versions(),
    )
    settings = common_settings(record) | {
        "antialias": str(protocol.antialias) if isinstance(protocol, PaperProtocol) else "n/a",
        "repeats": str(options.repeats),
        "pictures": str(options.pictures),
        "save_predictions": str(options.save_predictions),
        "source_sha256": source_sha256(method),
        "device": record.machine.device,
        "threads": str(record.machine.threads),
        "torch": record.software.get("torch", "unknown"),
        "tf32": tf32_setting(method.device),
    }
    if scenes[0].linear:
        settings["output"] = LIGHT_OUTPUT
    folder = options.results / run_folder_name(record)
    return Plan(call, protocol, scenes, folder, record.model_copy(update={"settings": settings}))


def chosen_scenes(
    dataset: Dataset, split: str, limit: int | None, track: str | None
) -> list[Scene]:
    """The first `limit` scenes of a split, with the exposures of a track (None: the first one).

    Raises:
        UsageError: the split has no scene, or the dataset does not have the track.
    """
    scenes = dataset.scenes(split, track)[:limit]
    if not scenes:
        raise UsageError(f"{dataset.path}: the {split} split has no scenes")
    return scenes


def dataset_record(dataset: Dataset, split: str, scenes: int, track: str | None) -> DatasetRecord:
    """The part of a run's record that says which pictures."""
    return DatasetRecord(
        name=dataset.record.name,
        digest=dataset.digest,
        track=dataset.chosen_track(track),
        split=split,
        scenes=scenes,
    )


def common_settings(record: RunRecord) -> dict[str, str]:
    """What any run and any scoring of pictures must have in common to be one."""
    settings = {
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
    if record.protocol.linear is not None:
        settings["linear"] = record.protocol.linear
    if record.protocol.memory_budget is not None:
        settings["memory_budget"] = str(record.protocol.memory_budget)
        settings["measured"] = str(record.protocol.measured)
    return settings


def run_folder_name(record: RunRecord) -> Path:
    """<method>@<weights sha, 8>/<dataset digest, 8>/<track>-<protocol>[-<resolution>][-<more>].

    More is what differs from the usual: precision, how light was made linear, the memory budget.
    """
    weights = (record.method.weights_sha256 or "none")[:8]
    resolution = record.protocol.resolution
    size = f"-{resolution[0]}x{resolution[1]}" if resolution else ""
    protocol = record.protocol
    more = "" if protocol.precision == "float32" else f"-{protocol.precision}"
    more += "" if protocol.linear is None else f"-{protocol.linear}"
    more += "" if protocol.memory_budget is None else f"-within-{protocol.memory_budget}"
    return Path(
        f"{record.method.name}@{weights}",
        record.dataset.digest[:8],
        f"{record.dataset.track}-{protocol.name}{size}{more}",
    )


def tf32_setting(device: torch.device) -> str:
    """Whether torch may compute with TF32 on a device, as settings hold it."""
    if device.type != "cuda":
        return "n/a"
    return str(torch.backends.cuda.matmul.allow_tf32 or torch.backends.cudnn.allow_tf32)


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
        weights_training=method.weights_training,
        parameters=None if network is None else count_parameters(network),
        published=tuple(PublishedRecord(**asdict(figure)) for figure in info.published),
    )
