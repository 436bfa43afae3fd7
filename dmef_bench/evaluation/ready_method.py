"""A method from its class: made, loaded and on its device, or one sentence why not."""

from dataclasses import replace
from pathlib import Path

import torch

from baselines import Method, MethodError, WeightsError
from baselines.conventions import Linear
from baselines.learned import LearnedMethod
from dmef_bench.errors import MissingError, UsageError
from dmef_bench.evaluation.freed_memory import keep_freed_memory


class WeightsMissingError(MissingError):
    """A learned method for which no weights are shipped, and none were given."""


def ready_method(
    method_class: type[Method],
    weights: Path | None,
    device: torch.device,
    linear: Linear | None = None,
) -> Method:
    """Make a method and load it.

    All methods run under the same conditions wherever they are started. On the CPU this process
    keeps the memory it frees from now on (`keep_freed_memory`). On a GPU float32 is float32: torch
    would compute convolutions with TF32's 10 bits.

    Args:
        method_class: from `baselines.resolve`.
        weights: file of weights; the shipped ones where None.
        device: where it is to run, unless it runs on the processor alone.
        linear: how exposures become linear light, instead of what the weights say.

    Raises:
        WeightsMissingError: it needs weights and was given none.
        UsageError: the weights are not its own, it can't be made, or it has no use for `linear`.
    """
    if method_class.info.on_processor:
        device = torch.device("cpu")
    if device.type == "cpu":
        keep_freed_memory()
    else:
        torch.backends.cudnn.allow_tf32 = False
    try:
        method = method_class()
        method.load(weights, device)
    except WeightsError as error:
        kind = WeightsMissingError if weights is None else UsageError
        raise kind(str(error)) from error
    except MethodError as error:
        raise UsageError(str(error)) from error
    except Exception as error:  # a method is anyone's code
        said = " ".join(f"{type(error).__name__}: {error}".split())
        raise UsageError(f"{method_class.info.name} can't be loaded: {said}") from error
    if linear is not None:
        if not isinstance(method, LearnedMethod):
            raise UsageError(f"{method.info.name} takes no linear light; leave --linear out")
        method.conventions = replace(method.conventions, linear=linear)
    return method
