"""Fusion methods that behave and misbehave, for `--method tests/fusion_methods.py:Class`."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import torch
from torch import nn

from baselines import Method, MethodInfo, SizeRule
from baselines.ahdrnet.method import AHDRNetMethod


def _info(name: str, **more) -> MethodInfo:
    return MethodInfo(
        name=name, title=name.title(), year=2026, paper="", licence="Apache-2.0", kind="classical",
        **more,
    )  # fmt: skip


class Average(Method):
    """Mean of the three exposures; looks at single pixels. Remembers the sizes it was given."""

    info = _info("average")

    def __init__(self):
        super().__init__()
        self.sizes = []

    def fuse(self, bracket):
        self.sizes.append(bracket.size)
        return bracket.images.mean(dim=1)


class Choosy(Average):
    """Takes only heights and widths of at least 96 that are multiples of 32."""

    info = _info("choosy", size=SizeRule(minimum=96, multiple=32))


class Weightless(AHDRNetMethod):
    """A learned method under a name of its own, for which no weights are shipped."""

    info = replace(AHDRNetMethod.info, name="weightless")


class Small(Average):
    """The paper fed it with 40×64 pixels."""

    info = _info("small", paper_resolution=(40, 64))


class Convolution(Method):
    """A network of 9·27·3 + 3 parameters."""

    info = _info("convolution")

    def __init__(self):
        super().__init__()
        self.layer = nn.Conv2d(9, 3, 3, padding=1)

    def network(self):
        return self.layer

    def fuse(self, bracket):
        return self.layer(bracket.images.flatten(1, 2)).sigmoid()


class NotANumber(Method):
    info = _info("not-a-number")

    def fuse(self, bracket):
        picture = bracket.reference.clone()
        picture[..., 0, 0] = torch.nan
        return picture


class WrongSize(Method):
    info = _info("wrong-size")

    def fuse(self, bracket):
        return bracket.reference[..., :-1, :]


class Whole(Method):
    """Returns whole numbers."""

    info = _info("whole")

    def fuse(self, bracket):
        return (bracket.reference * 255).to(torch.uint8)


class Nothing(Method):
    info = _info("nothing")

    def fuse(self, bracket):
        return None


class Raises(Method):
    info = _info("raises")

    def fuse(self, bracket):
        raise ValueError("no\nluck today")


class Greedy(Method):
    """Asks for more memory than any machine has."""

    info = _info("greedy")

    def fuse(self, bracket):
        return torch.empty(2**50) + bracket.reference.mean()


class Holds64MB(Method):
    info = _info("holds-64-mb")

    def fuse(self, bracket):
        held = torch.ones(16 * 2**20)
        return bracket.reference * held.mean()


class KilledInTheThird(Average):
    """Ends its own process without warning in its fourth call: warm-up and two scenes are done."""

    info = _info("killed")

    def fuse(self, bracket):
        if len(self.sizes) == 3 and (switch := os.environ.get("KILL_SWITCH")):
            Path(switch).unlink()
            os.kill(os.getpid(), signal.SIGKILL)
        return super().fuse(bracket)


class Unloadable(Average):
    info = _info("unloadable")

    def load(self, weights, device):
        raise OSError("the licence server is down")
