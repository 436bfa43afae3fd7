"""What is measured of a scene's pictures: motion, blur, clipping, and a hash of how it looks.

Every figure is made from integers or rounded so far that processors can't disagree on it.
"""

from itertools import pairwise
from typing import Final

import cv2
import imagehash
import numpy as np
import scipy.fftpack  # noqa: F401 - imagehash imports it in its first call, each worker anew
from numpy.typing import NDArray
from PIL import Image

Frame = NDArray[np.uint8]

# Motion is stated in pixels of a picture with this longer side, whatever the size of the frames,
# and measured at a quarter of it.
UHD_SIDE: Final = 3840
FLOW_SIDE: Final = 960
# The search needs some room.
_LEAST_SIDE = 32
# Flow that noise makes in a still picture stays below this many pixels of 4K.
MOVING_PIXELS: Final = 4.0
# Window of the blur that a picture is compared with; Crete et al. use 9.
_BLUR_WINDOW = 9
_BORDER = cv2.BORDER_REFLECT
_BLUR_AXES: Final = (((1, _BLUR_WINDOW), (0, 1)), ((_BLUR_WINDOW, 1), (1, 0)))
# Rows at a time, few enough to stay in the processor's cache.
_STRIP: Final = 64


def motion(frames: tuple[Frame, Frame, Frame]) -> dict[str, float]:
    """Dense optical flow (DIS) from frame 1 to 2 and from 2 to 3.

    Args:
        frames: (H, W, 3) uint8 RGB.

    Returns:
        For both steps ("12", "23"): `flow_mean_` and `flow_p95_`, mean and 95th percentile of the
        magnitude in pixels of 4K, to a tenth; `moving_`, share of the picture that moves by at
        least `MOVING_PIXELS`, to a thousandth.

    Source: Kroeger et al., "Fast Optical Flow using Dense Inverse Search", ECCV 2016.
    """
    columns = {}
    small = [_small_grey(frame) for frame in frames]
    scale = UHD_SIDE / max(small[0].shape)
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)  # each of its threads starts anew, which changes the flow between them
    try:
        search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
        for step, (first, second) in zip(("12", "23"), pairwise(small), strict=True):
            # Without a flow to start from, which OpenCV's type hints don't know of.
            found = search.calc(first, second, None)  # type: ignore[call-overload]
            flow = np.asarray(found, np.float64)
            pixels = scale * np.hypot(flow[..., 0], flow[..., 1])
            columns[f"flow_mean_{step}"] = round(float(pixels.mean()), 1)
            columns[f"flow_p95_{step}"] = round(float(np.percentile(pixels, 95)), 1)
            columns[f"moving_{step}"] = round(float((pixels >= MOVING_PIXELS).mean()), 3)
    finally:
        cv2.setNumThreads(threads)
    return columns


def clipping(picture: str, pixels: Frame) -> dict[str, float]:
    """Share of the pixels of an (H, W, 3) picture that have lost something at either end.

    Returns:
        `white_` and the name of the picture: at least one channel at 255; `black_` likewise: at 0.
    """
    size = pixels.shape[0] * pixels.shape[1]
    not_white = cv2.countNonZero(cv2.inRange(pixels, (0, 0, 0), (254, 254, 254)))
    not_black = cv2.countNonZero(cv2.inRange(pixels, (1, 1, 1), (255, 255, 255)))
    return {
        f"white_{picture}": round((size - not_white) / size, 6),
        f"black_{picture}": round((size - not_black) / size, 6),
    }


def blur(pixels: Frame) -> float:
    """How blurred an (H, W, 3) picture is, from 0 (sharp) to 1, whatever it shows; to 0.0001.

    A picture that was blurred already changes little when it is blurred once more: the share of
    its gradients that survives is measured along both axes, and the blurrier axis counts.

    Source: Crete et al., "The blur effect: perception and estimation with a new no-reference
    perceptual blur metric", SPIE 2007; with Sobel gradients, as in scikit-image.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    before, kept = np.zeros(2, np.int64), np.zeros(2, np.int64)
    for top in range(2, len(grey) - 1, _STRIP):
        bottom = min(top + _STRIP, len(grey) - 1)
        first = max(0, top - _BLUR_WINDOW)
        strip = grey[first : bottom + _BLUR_WINDOW].astype(np.int16)
        counts = (slice(top - first, bottom - first), slice(2, -1))
        for axis, (window, gradient) in enumerate(_BLUR_AXES):
            # Sums, not means, of integers below 9 · 4 · 255, so that nothing is rounded.
            again = cv2.boxFilter(strip, cv2.CV_16S, window, normalize=False, borderType=_BORDER)
            steep = np.abs(cv2.Sobel(strip, cv2.CV_16S, *gradient)[counts]) * np.int16(_BLUR_WINDOW)
            after = np.abs(cv2.Sobel(again, cv2.CV_16S, *gradient)[counts])
            before[axis] += steep.sum(dtype=np.int64)
            kept[axis] += np.minimum(steep, after).sum(dtype=np.int64)
    shares = [int(k) / int(b) if b else 1.0 for k, b in zip(kept, before, strict=True)]
    return round(max(shares), 4)


def perceptual_hash(pixels: Frame) -> str:
    """16 hexadecimal digits, of whose bits few differ between pictures that look alike.

    Args:
        pixels: (H, W, 3) uint8 RGB.

    Source: `phash` of the package imagehash: signs of the low frequencies of a 32×32 reduction.
    """
    return str(imagehash.phash(Image.fromarray(pixels)))


def _small_grey(frame: Frame) -> Frame:
    height, width = frame.shape[:2]
    share = max(min(1.0, FLOW_SIDE / max(height, width)), _LEAST_SIDE / min(height, width))
    grey = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    size = max(1, round(width * share)), max(1, round(height * share))
    return cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
