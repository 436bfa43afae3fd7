"""`dmef-bench run`: run fusion methods over a dataset and record what they give and cost."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, TypeVar

import click

from dmef_bench.cli.evaluation_options import (
    as_data,
    command_line,
    evaluation_options,
    print_summary,
)
from dmef_bench.cli.memory_size import parse_size
from dmef_bench.cli.options import (
    cluster_at,
    cluster_option,
    device_option,
    dry_run_option,
    emit,
    format_option,
    limit_option,
    linear_option,
    overwrite_option,
    precision_option,
    quiet_option,
)
from dmef_bench.errors import DmefError, MissingError, ScenesFailedError, UsageError

if TYPE_CHECKING:
    from baselines.conventions import Linear
    from dmef_bench.evaluation import LpipsNet, ProtocolName, RunResult
    from dmef_bench.evaluation.options import MeasuredResolution

T = TypeVar("T")


def _size(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> "tuple[int, int] | MeasuredResolution | None":
    """HxW in pixels as (height, width), or what is to be measured."""
    if value is None:
        return None
    if value == "probed":
        return "probed"
    if value == "probed-16:9":
        return "probed-16:9"
    found = re.fullmatch(r"(\d+)[x×](\d+)", value)
    if found is None or int(found[1]) == 0 or int(found[2]) == 0:
        raise click.BadParameter(f"{value!r} is no height and width such as 256x256", ctx, param)
    return int(found[1]), int(found[2])


def _tile(
    ctx: click.Context, param: click.Parameter, value: str | None
) -> 'int | Literal["auto"] | None':
    """Pixels, or auto."""
    if value is None:
        return None
    if value == "auto":
        return "auto"
    if not value.isascii() or not value.isdigit() or not 0 < int(value) < 2**31:
        raise click.BadParameter(f"{value!r} is neither a number of pixels nor auto", ctx, param)
    return int(value)


@click.command()
@click.option(
    "--method",
    "methods",
    multiple=True,
    required=True,
    help="A name `dmef-bench methods` lists, path/to/file.py:Class, or all; may be repeated.",
)
@click.option(
    "--protocol",
    type=click.Choice(["paper", "tiled", "native"]),
    default="paper",
    show_default=True,
    help="paper: bilinear down to the method's resolution and up again; tiled: blended tiles at "
    "full resolution; native: the whole picture at once.",
)
@click.option(
    "--resolution",
    metavar="HxW|probed",
    callback=_size,
    default=None,
    help="Under protocol paper; probed or probed-16:9: the largest that fits --memory-budget.  "
    "[default: what the IPL paper gave the method]",
)
@click.option("--antialias", is_flag=True, help="Under protocol paper: average on the way down.")
@click.option(
    "--tile",
    metavar="PIXELS|auto",
    callback=_tile,
    default=None,
    help="Under protocol tiled: side of a tile; auto: as large as fits --memory-budget.  "
    "[default: 512]",
)
@click.option(
    "--overlap",
    type=click.IntRange(min=0),
    default=None,
    help="Under protocol tiled: pixels that tiles share.  [default: 64, at most half a tile]",
)
@click.option(
    "--memory-budget",
    metavar="SIZE",
    default=None,
    help="What one call may take beside the program and the weights, for example 24GiB; tried in "
    "a process of its own first.  [default: what the machine has]",
)
@device_option
@precision_option("Of the tensors a network gets; the error against fp32 is recorded.")
@linear_option
@click.option(
    "--weights",
    type=click.Path(path_type=Path),
    default=None,
    help="Weights of a learned method.  [default: the shipped ones]",
)
@click.option(
    "--repeats",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Timed inferences a scene, whose median is recorded.",
)
@click.option("--save-predictions", is_flag=True, help="Keep every result as PNG.")
@evaluation_options
@cluster_option
@limit_option
@overwrite_option
@dry_run_option
@format_option
@quiet_option
def command(
    methods: tuple[str, ...],
    protocol: "ProtocolName",
    resolution: "tuple[int, int] | MeasuredResolution | None",
    antialias: bool,
    tile: 'int | Literal["auto"] | None',
    overlap: int | None,
    memory_budget: str | None,
    device: str,
    precision: str,
    linear: "Linear | None",
    weights: Path | None,
    repeats: int,
    save_predictions: bool,
    data: Path,
    results: Path,
    split: str,
    track: str | None,
    lpips_net: "LpipsNet",
    lpips_backbone: Path | None,
    no_lpips: bool,
    pictures: int,
    cluster: str | None,
    limit: int | None,
    overwrite: bool,
    dry_run: bool,
    output_format: str,
    quiet: bool,
) -> None:
    """Run fusion methods over a dataset and record quality, time and memory.

    A scene is written down as soon as it is finished: after an interruption the same command goes
    on where it stopped. How everything is measured: docs/protocol.md.
    """
    _check_together(protocol, resolution, antialias, tile, overlap)
    budget = None if memory_budget is None else parse_size("--memory-budget", memory_budget)
    if budget is None and isinstance(resolution, str):
        raise UsageError(f"--resolution {resolution} needs --memory-budget, for example 8GiB")
    if budget is not None and cluster is not None:
        raise UsageError(
            "--memory-budget is tried on this machine, not on a cluster's; find the size with "
            "`dmef-bench max-resolution` on one of its workers and give it here"
        )
    if weights is not None and (len(methods) > 1 or "all" in methods):
        raise UsageError("--weights belongs to one method; name that one with --method")

    from dmef_bench.cli.loading import device_on_cluster, method_class, torch_device
    from dmef_bench.dataset import open_dataset
    from dmef_bench.evaluation import (
        RunOptions,
        finished_scenes,
        make_scorer,
        plan_on_cluster,
        plan_run,
        run_method,
        run_on_cluster,
    )
    from dmef_bench.evaluation.options import DEFAULT_TILE

    place = click.get_current_context().with_resource(cluster_at(cluster, quiet=quiet))
    options = RunOptions(
        results=results,
        split=split,
        track=track,
        protocol=protocol,
        resolution=resolution,
        antialias=antialias,
        tile=tile or DEFAULT_TILE,
        overlap=overlap,
        memory_budget=budget,
        device=device_on_cluster(device, place) if place else torch_device(device),
        precision=precision,
        linear=linear,
        weights=weights,
        repeats=repeats,
        save_predictions=save_predictions,
        pictures=pictures,
        limit=limit,
        overwrite=overwrite,
        quiet=quiet,
        command=command_line(),
    )
    dataset = open_dataset(data)
    batch = _Batch.of(methods)
    scorer_for = partial(
        make_scorer,
        net=lpips_net,
        backbone=lpips_backbone and lpips_backbone.absolute(),
        lpips=not no_lpips,
    )
    scorer = scorer_for(torch_device("cpu") if place else options.device)
    if scorer.lpips_unavailable and not quiet:
        click.echo(f"LPIPS is n/a: {scorer.lpips_unavailable}", err=True)

    def one(spec: str) -> "RunResult":
        if place:
            result = run_on_cluster(spec, dataset, scorer_for, options, place)
        else:
            result = run_method(method_class(spec), dataset, scorer, options)
        for note in result.notes:
            click.echo(f"note: {note}", err=True)
        if output_format == "human":
            print_summary(result)
        return result

    def planned(spec: str) -> dict[str, object]:
        if place:
            plan = plan_on_cluster(spec, dataset, scorer_for, options)
        else:
            plan = plan_run(method_class(spec), dataset, scorer, options)
        done = finished_scenes(plan.folder, plan.record, overwrite=overwrite)
        todo = [scene.id for scene in plan.scenes if scene.id not in done]
        if output_format == "human":
            click.echo(f"{spec}: {len(todo)} scenes to do in {plan.folder}")
        return {"method": spec, "folder": str(plan.folder), "todo": todo}

    finished: list[RunResult] = []
    if dry_run:
        done: list[dict[str, object]] = batch.each(planned)
    else:
        finished = batch.each(one)
        done = [as_data(result) for result in finished]
    emit(
        output_format,
        {"runs": done, "broken": batch.broken, "left_out": batch.left_out},
        lambda: batch.say_left_out(quiet=quiet),
    )
    _end(finished, batch.broken)


def _check_together(
    protocol: str,
    resolution: object,
    antialias: bool,
    tile: object,
    overlap: int | None,
) -> None:
    """Refuse an option that the protocol would not look at."""
    used = {
        "--resolution": ("paper", resolution is not None),
        "--antialias": ("paper", antialias),
        "--tile": ("tiled", tile is not None),
        "--overlap": ("tiled", overlap is not None),
    }
    for option, (owner, given) in used.items():
        if given and protocol != owner:
            raise UsageError(f"{option} belongs to --protocol {owner}, not to {protocol}")


@dataclass
class _Batch:
    """The methods of one call, one after the other.

    Attributes:
        specs: each once.
        optional: those that `all` stands for; one that lacks weights is left out without harm.
        broken: methods that could not be run, with the reason.
        left_out: methods of `all` without weights, with the reason.
    """

    specs: list[str]
    optional: set[str]
    broken: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, methods: tuple[str, ...]) -> "_Batch":
        """From the values of --method."""
        from baselines import MethodError, available

        named = [spec for spec in methods if spec != "all"]
        listed = available() if "all" in methods else []
        working = [name for name, info in listed if not isinstance(info, MethodError)]
        return cls(
            specs=list(dict.fromkeys([*named, *working])),
            optional=set(working) - set(named),
            broken={name: str(info) for name, info in listed if isinstance(info, MethodError)},
        )

    def each(self, work: Callable[[str], T]) -> list[T]:
        """Do the work for every method; one that fails doesn't stop the others.

        Raises:
            DmefError: there is no other method, or the environment is at fault (MissingError).
        """
        from dmef_bench.evaluation import WeightsMissingError

        results = []
        for spec in self.specs:
            try:
                results.append(work(spec))
            except DmefError as error:
                weightless = isinstance(error, WeightsMissingError)
                # A full disk or a missing GPU is no fault of this method: the others meet it too.
                if len(self.specs) == 1 or (isinstance(error, MissingError) and not weightless):
                    raise
                if weightless and spec in self.optional:
                    self.left_out[spec] = str(error)
                else:
                    self.broken[spec] = str(error)
        return results

    def say_left_out(self, *, quiet: bool) -> None:
        """Name on stderr what `all` did not run."""
        for reason in () if quiet else self.left_out.values():
            click.echo(f"left out: {reason}", err=True)


def _end(finished: list["RunResult"], broken: dict[str, str]) -> None:
    """Name what failed, scene by scene and method by method.

    Raises:
        ScenesFailedError: something did.
    """
    failures = [f"{name}: {reason}" for name, reason in broken.items()]
    failures += [
        f"{result.record.method.name}, {sample.scene}: {sample.error}"
        for result in finished
        for sample in result.failed
    ]
    if failures:
        raise ScenesFailedError(
            "the rest was finished, but these failed:\n  " + "\n  ".join(failures)
        )
