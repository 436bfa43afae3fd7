"""Multiply-accumulates of a network, counted while it runs."""

import importlib
import inspect
import sys
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

# torch's counter knows the attention kernels of GPUs, not the one of processors.
_CPU_ATTENTION = torch.ops.aten._scaled_dot_product_flash_attention_for_cpu


def prepare_to_count() -> None:
    """Import what counting needs: Triton, where it is installed, which takes memory of its own.

    torch's compiler would be imported too, in the first operation that is counted and only for the
    counter to shield itself from it. It is left out: it takes seconds, and would be measured as
    memory of the work. A torch whose counter is built otherwise imports it here.
    """
    from torch.utils import flop_counter

    mode = getattr(flop_counter, "_FlopCounterMode", None)
    if mode is None:
        importlib.import_module("torch._dynamo")
    elif "torch._dynamo" not in sys.modules:
        shielded = inspect.unwrap(mode.__torch_dispatch__)
        vars(shielded).setdefault("__dynamo_disable", shielded)


def count_macs(work: Callable[[], object]) -> int:
    """Run `work` once and count its multiply-accumulates.

    torch's own counter sees every convolution, transposed convolution, matrix product and
    attention product that passes the dispatcher, wherever it is written; element-wise work,
    normalisation, pooling, resizing and kernels torch does not know cost nothing here. It counts
    two floating-point operations a multiply-accumulate.
    """
    prepare_to_count()
    from torch.utils.flop_counter import FlopCounterMode

    with FlopCounterMode(
        display=False, custom_mapping={_CPU_ATTENTION: _attention_operations}
    ) as counter:
        work()
    return int(counter.get_total_flops()) // 2


def _attention_operations(
    query: Any,  # noqa: ANN401 - shapes, as torch hands them to every formula
    key: Any,  # noqa: ANN401
    value: Any,  # noqa: ANN401
    *_: object,
    **__: object,
) -> int:
    from torch.utils.flop_counter import sdpa_flop_count

    return int(sdpa_flop_count(query, key, value))  # type: ignore[no-untyped-call]


def count_parameters(network: nn.Module) -> int:
    """Number of parameters, each tensor once, trainable or not; buffers are none."""
    return sum(parameter.numel() for parameter in network.parameters())
