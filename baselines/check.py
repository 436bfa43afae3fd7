"""Prove in seconds that a method keeps to the interface, with small pictures that try it hard."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from baselines.bracket import Bracket
from baselines.method import Kind, Method

_EVS: Final = (-1.5, 0.5, 2.5)
_ORDINARY: Final = (64, 96)
_ODD: Final = ((37, 53), (53, 37), (45, 112))
# Batched and single pictures may take different kernels; TF32 alone moves values by some 1e-4.
_BATCH_TOLERANCE: Final = 1e-3


@dataclass(frozen=True)
class CheckResult:
    """One promise of the interface: whether it was kept, and what was seen."""

    name: str
    passed: bool
    detail: str


class _BrokenError(Exception):
    """A promise that was not kept; the message says how."""


class _PowerResponse:
    """A response whose brightness grows with the exposure ratio to the power .8."""

    def brightness_transform(self, B: NDArray[np.float64], k: float) -> NDArray[np.float64]:
        brighter: NDArray[np.float64] = B * k**0.8
        return brighter


def check_method(
    method_class: type[Method],
    weights: Path | None = None,
    device: torch.device = torch.device("cpu"),  # noqa: B008 - a device never changes
) -> list[CheckResult]:
    """Load a method and try every promise `baselines.Method` makes.

    Args:
        method_class: what `baselines.resolve` returned.
        weights: given to `load`; None for the shipped ones or for a method without weights.
        device: where to try it; the processor is tried as well.

    Returns:
        One result a promise. Where the method can't be loaded, that one alone.
    """
    try:
        method = _loaded(method_class, weights, device)
    except Exception as error:
        return [CheckResult("loads", False, _reason(error))]
    return [
        CheckResult("loads", True, f"on {device}"),
        *(_tried(name, promise) for name, promise in _promises(method, weights, device)),
    ]


def _promises(
    method: Method, weights: Path | None, device: torch.device
) -> Iterator[tuple[str, Callable[[], str]]]:
    rule = method.info.size

    def bracket(size: tuple[int, int], seed: int = 0, batch: int = 1) -> Bracket:
        return _scene(method, rule.fit(*size), seed, batch).map(lambda images: images.to(device))

    def described() -> str:
        info = method.info
        if info.kind not in get_args(Kind):
            raise _BrokenError(
                f"info.kind is {info.kind!r}, not one of {', '.join(get_args(Kind))}"
            )
        if rule.minimum < 1 or rule.multiple < 1:
            raise _BrokenError(f"info.size is {rule}; minimum and multiple are at least 1")
        if not isinstance(method.network(), nn.Module | None):
            raise _BrokenError("network() is neither None nor a torch.nn.Module")
        return f"{info.title} ({info.year}), {info.kind}"

    def ordinary() -> str:
        result = _fuse(method, bracket(_ORDINARY))
        return f"{tuple(result.shape)} within [{result.min():.3f}, {result.max():.3f}]"

    def odd_sizes() -> str:
        return ", ".join(_size(_fuse(method, bracket(size))) for size in _ODD)

    def smallest() -> str:
        return _size(_fuse(method, bracket((1, 1))))

    def flat() -> str:
        ordinary = bracket(_ORDINARY)
        for value in (0.0, 0.5, 1.0):
            try:
                _fuse(method, replace(ordinary, images=torch.full_like(ordinary.images, value)))
            except Exception as error:
                raise _BrokenError(f"where every value is {value}: {_reason(error)}") from error
        return "all 0, all .5, all 1"

    def batched() -> str:
        pair = bracket(_ORDINARY, batch=2)
        together = _fuse(method, pair)
        alone = [_fuse(method, replace(pair, images=pair.images[i : i + 1])) for i in range(2)]
        off = float((together - torch.cat(alone)).abs().max())
        if off > _BATCH_TOLERANCE:
            raise _BrokenError(
                f"a scene comes out up to {off:.3g} different when fused beside another"
            )
        return f"two scenes together and alone differ by {off:.3g}"

    def repeatable() -> str:
        first = _fuse(method, bracket(_ORDINARY))
        _fuse(method, bracket(_ORDINARY, seed=1))
        if not torch.equal(first, _fuse(method, bracket(_ORDINARY))):
            raise _BrokenError(
                "the same bracket gave other values when fused again after another one"
            )
        fresh = _loaded(type(method), weights, device)
        if not torch.equal(first, _fuse(fresh, bracket(_ORDINARY))):
            raise _BrokenError("the same bracket gave other values with the method loaded anew")
        return "the same bits again, and from a fresh instance"

    def devices() -> str:
        tried = dict.fromkeys([torch.device("cpu"), device])
        for place in tried:
            moved = _loaded(type(method), weights, device)
            moved.load(weights, place)
            ordinary = bracket(_ORDINARY)
            _fuse(moved, replace(ordinary, images=ordinary.images.to(place)))
        return ", ".join(str(place) for place in tried)

    yield "is described", described
    yield "fuses an ordinary bracket", ordinary
    yield "fuses odd sizes", odd_sizes
    yield "fuses its smallest size", smallest
    yield "fuses flat pictures", flat
    yield "fuses a batch", batched
    if method.info.deterministic:
        yield "repeats itself", repeatable
    yield "moves between devices", devices


def _tried(name: str, promise: Callable[[], str]) -> CheckResult:
    try:
        return CheckResult(name, True, promise())
    except Exception as error:
        return CheckResult(name, False, _reason(error))


def _reason(error: Exception) -> str:
    if isinstance(error, _BrokenError):
        return str(error)
    return " ".join(f"raised {type(error).__name__}: {error}".split())


def _loaded(method_class: type[Method], weights: Path | None, device: torch.device) -> Method:
    method = method_class()
    method.load(weights, device)
    if method.device.type != device.type:
        raise _BrokenError(f"after load(..., {device}) its device attribute is {method.device}")
    return method


def _fuse(method: Method, bracket: Bracket) -> Tensor:
    """What the method makes of the bracket, once it has been found to be as promised."""
    before = bracket.images.clone()
    with torch.no_grad():
        result = method.fuse(bracket)
    at = f"at {bracket.size[0]}×{bracket.size[1]}"
    if not isinstance(result, Tensor):
        raise _BrokenError(f"returned a {type(result).__name__}, not a torch.Tensor")
    expected = (len(before), 3, *bracket.size)
    if tuple(result.shape) != expected:
        raise _BrokenError(f"returned shape {tuple(result.shape)} instead of {expected}")
    if result.dtype != before.dtype:
        raise _BrokenError(f"returned {result.dtype} for a bracket of {before.dtype}")
    if result.device != before.device:
        raise _BrokenError(f"returned a tensor on {result.device} for a bracket on {before.device}")
    if wrong := int((~torch.isfinite(result)).sum()):
        raise _BrokenError(f"returned {wrong} NaN or infinite values {at}")
    if result.min() < 0 or result.max() > 1:
        raise _BrokenError(
            f"returned values in [{result.min():.6g}, {result.max():.6g}] {at}, outside [0, 1]"
        )
    if not torch.equal(bracket.images, before):
        raise _BrokenError("changed the bracket it was given")
    return result


def _size(result: Tensor) -> str:
    return f"{result.shape[-2]}×{result.shape[-1]}"


def _scene(method: Method, size: tuple[int, int], seed: int, batch: int) -> Bracket:
    """A seeded textured picture that shifts from frame to frame, exposed three times, 8 bit."""
    height, width = size
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand((batch, 3, 5, 6), generator=generator)
    texture = torch.rand((batch, 3, height, width + 4), generator=generator)
    frame = nn.functional.interpolate(coarse, (height, width + 4), mode="bilinear")
    frame = (0.85 * frame + 0.15 * texture) ** 1.5
    exposed = [
        (frame[..., 2 * shift : 2 * shift + width] * 2.0 ** (0.8 * ev)).clamp(0, 1)
        for shift, ev in enumerate(_EVS)
    ]
    images = torch.stack(exposed, dim=1).mul(255).round().div(255)
    return Bracket(images, _EVS, _PowerResponse() if method.info.needs_response else None)
