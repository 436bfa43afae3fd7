"""Parameters and MACs of the learned baselines, beside the figures the paper prints."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from baselines.cost import TABLE_1_NETWORKS, CountedNetwork, inputs_of_size, on_meta, thop_counts
from dmef_bench.evaluation.macs import count_macs, count_parameters
from leaderboard.published import TABLE_1

# Two decimals are printed of the MACs, one of them off by one, and four of the parameters.
_MACS_ROUNDING = 0.011
_PARAMETERS_ROUNDING = 0.00006


@dataclass(frozen=True)
class BaselineCost:
    """One learned baseline.

    Attributes:
        method: its name on the command line.
        title: as Table 1 prints it.
        counted_size: (height, width) at which thop's MACs are counted.
        thop_macs: MACs thop counts of the network the paper counted, or of the nearest to it.
        thop_parameters: likewise.
        printed_macs: the number in Table 1's column, read as G.
        printed_parameters: the number in Table 1's column, in M.
        macs_match: whether thop's MACs are the printed ones.
        parameters_match: whether thop's parameters are the printed ones.
        full_size: (height, width) at which all MACs are counted: Table 1's MR.
        full_macs: all multiply-accumulates of the authors' network at that size.
        full_parameters: all parameters of the authors' network.
    """

    method: str
    title: str
    counted_size: tuple[int, int]
    thop_macs: int
    thop_parameters: int
    printed_macs: float
    printed_parameters: float
    macs_match: bool
    parameters_match: bool
    full_size: tuple[int, int]
    full_macs: int
    full_parameters: int


def baseline_costs() -> list[BaselineCost]:
    """Count them all, without weights, memory or arithmetic."""
    return [_cost(network) for network in TABLE_1_NETWORKS]


def _cost(case: CountedNetwork) -> BaselineCost:
    row = TABLE_1.row(case.method)
    if row is None or row.macs is None or row.parameters is None or row.resolution is None:
        raise LookupError(f"Table 1 prints no cost of {case.method}")
    counted = on_meta(case.counted)
    macs, parameters = thop_counts(counted, *inputs_of_size(counted, *case.size))
    # The column's unit is wrong: what it prints in M is in G, what it prints in T is in T.
    printed_macs = row.macs / 1e6 if row.macs < 1e12 else row.macs / 1e9
    printed_parameters = row.parameters / 1e6
    official = on_meta(case.official)
    return BaselineCost(
        method=case.method,
        title=row.label,
        counted_size=case.size,
        thop_macs=macs,
        thop_parameters=parameters,
        printed_macs=printed_macs,
        printed_parameters=printed_parameters,
        macs_match=abs(macs / 1e9 - printed_macs) < _MACS_ROUNDING,
        parameters_match=abs(parameters / 1e6 - printed_parameters) < _PARAMETERS_ROUNDING,
        full_size=row.resolution,
        full_macs=count_macs(_run(official, row.resolution)),
        full_parameters=count_parameters(official),
    )


def _run(network: nn.Module, size: tuple[int, int]) -> Callable[[], object]:
    def run() -> object:
        with torch.no_grad():
            return network(*inputs_of_size(network, *size))

    return run
