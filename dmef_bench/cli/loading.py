"""What verbs that take a method share: the device by its name, the method by its name."""

from pathlib import Path
from typing import TYPE_CHECKING

from dmef_bench.errors import MissingError, UsageError

if TYPE_CHECKING:
    import torch

    from baselines import Method
    from baselines.conventions import Linear
    from dmef_bench.work import Cluster


def torch_device(name: str) -> "torch.device":
    """The device that --device names; "auto" is the first GPU where there is one.

    Raises:
        UsageError: no such name. MissingError: this machine has no such GPU.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UsageError(f"--device {name!r} is none of auto, cpu, cuda, cuda:N") from None
    if device.type not in ("cpu", "cuda"):
        raise UsageError(f"--device {name!r} is none of auto, cpu, cuda, cuda:N")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise MissingError(
            f"--device {name}: PyTorch finds {torch.cuda.device_count()} GPUs on this machine"
        )
    return device


def device_on_cluster(name: str, cluster: "Cluster") -> "torch.device":
    """The kind of device that --device names on a cluster's workers, each of which has one.

    Raises:
        UsageError: no such kind.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if cluster.offers_gpu() else "cpu")
    if name not in ("cpu", "cuda"):
        raise UsageError(
            f"--device {name!r} with --cluster: auto, cpu or cuda; which GPU a worker uses is "
            "decided where it is started"
        )
    return torch.device(name)


def method_class(spec: str) -> "type[Method]":
    """The class that --method names.

    Raises:
        UsageError: no such method, or a broken one.
    """
    from baselines import MethodError, resolve

    try:
        return resolve(spec)
    except MethodError as error:
        raise UsageError(str(error)) from error


def load_method(
    spec: str, weights: Path | None, device: "torch.device", linear: "Linear | None" = None
) -> "Method":
    """The method that --method names, ready on `device`.

    Raises:
        UsageError: no such method, a broken one, or weights that are not its own.
        MissingError: it needs weights and was given none.
    """
    from dmef_bench.evaluation import ready_method

    return ready_method(method_class(spec), weights, device, linear)
