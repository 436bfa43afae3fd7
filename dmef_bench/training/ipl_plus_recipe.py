"""How IPL+ is trained: what its loss asks of the result and of the aligned exposures."""

from collections.abc import Mapping

from torch import Tensor, nn

from baselines import Bracket
from dmef_bench.errors import UsageError
from dmef_bench.ipl_plus import IPLPlus, IPLPlusConfig

LOSS_NAME = (
    "L1 + RMS of each sample + 0.1 L1 of the aligned low exposure + 0.03 of the high one; "
    "from 55 % of the steps on + 0.02 log10 of each sample's MSE"
)
_LOW, _HIGH = 0.1, 0.03
# Late, samples that are nearly right count as much as those that are far off, as they do in a mean
# of PSNRs.
_LATE, _LOG = 0.55, 0.02
# Share of the brightest that a high exposure can say; of what is brighter it says nothing.
_NEARLY_CLIPPED = 0.95


def build_ipl_plus(options: Mapping[str, str]) -> nn.Module:
    """A fresh network from `--set` options.

    Raises:
        UsageError: an unknown field or a wrong value.
    """
    try:
        return IPLPlus(IPLPlusConfig().changed(options))
    except ValueError as error:
        raise UsageError(f"--set: {error}") from None


def predict_ipl_plus(network: nn.Module, bracket: Bracket) -> Tensor:
    """(B, 3, H, W), differentiable, not clipped."""
    fused: Tensor = network(bracket.images, bracket.evs)
    return fused


def ipl_plus_loss(network: nn.Module, bracket: Bracket, truth: Tensor, done: float) -> Tensor:
    """A scalar; PSNR looks at squares, so the few pixels that are far off count as in its root."""
    parts = _checked(network).parts(bracket.images, bracket.evs)
    error = parts.fused - truth
    squares = error.square().mean((1, 2, 3)) + 1e-6
    low = (parts.low - truth).abs().mean()
    within = truth < _NEARLY_CLIPPED * parts.high.detach().amax((1, 2, 3), keepdim=True)
    high = ((parts.high - truth) * within).abs().mean()
    loss = error.abs().mean() + squares.sqrt().mean() + _LOW * low + _HIGH * high
    return loss + _LOG * squares.log10().mean() if done >= _LATE else loss


def ipl_plus_metadata(network: nn.Module) -> dict[str, str]:
    """What `IPLPlusMethod.load` needs to build the same network again."""
    return {"method": "ipl-plus", "config": _checked(network).config.to_json()}


def _checked(network: nn.Module) -> IPLPlus:
    if not isinstance(network, IPLPlus):
        raise TypeError(f"the recipe of ipl-plus trains an IPLPlus, not a {type(network).__name__}")
    return network
