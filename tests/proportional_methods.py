"""Methods whose memory grows with the picture, and that end badly above some size."""

import os
import signal
import time

import torch

from baselines import Method, MethodInfo, SizeRule

BYTES_A_PIXEL = 4096
LARGE = 200


def _info(name: str, **more) -> MethodInfo:
    return MethodInfo(
        name=name, title=name.title(), year=2026, paper="", licence="Apache-2.0", kind="classical",
        **more,
    )  # fmt: skip


class Proportional(Method):
    """Holds BYTES_A_PIXEL for each pixel."""

    info = _info("proportional")

    def fuse(self, bracket):
        height, width = bracket.size
        held = torch.ones(height * width, BYTES_A_PIXEL // 4)
        return bracket.reference * held[:, 0].mean()


class Sixteenths(Proportional):
    info = _info("sixteenths", size=SizeRule(minimum=48, multiple=16))


class KilledWhenLarge(Method):
    """Its process is killed, as the kernel does for want of memory."""

    info = _info("killed-when-large")

    def fuse(self, bracket):
        if max(bracket.size) > LARGE:
            os.kill(os.getpid(), signal.SIGKILL)
        return bracket.reference


class HangsWhenLarge(Method):
    info = _info("hangs-when-large")

    def fuse(self, bracket):
        if max(bracket.size) > LARGE:
            time.sleep(600)
        return bracket.reference


class RaisesWhenLarge(Method):
    info = _info("raises-when-large")

    def fuse(self, bracket):
        if max(bracket.size) > LARGE:
            raise ValueError("too many pixels for me")
        return bracket.reference


class AsksForTheImpossible(Method):
    """The allocator itself refuses."""

    info = _info("asks-for-the-impossible")

    def fuse(self, bracket):
        return torch.empty(2**50) + bracket.reference.mean()
