"""Where one shot ends and the next begins, found with PySceneDetect on our own thumbnails."""

import math

import numpy as np
from numpy.typing import NDArray

# A cut changes the whole picture by this many levels on average, and by this many times as much
# as the steps around it, two before and two after.
CUT_LEVELS = 10.0
CUT_RATIO = 3.0
_AROUND = 2
# Mean and standard deviation all thumbnails are given, so that a fade or a camera that adapts its
# exposure is no difference; a dark picture's noise is raised by no more than the gain.
_MEAN, _SPREAD, MOST_GAIN = 128.0, 48.0, 4.0
# The detector asks for a frame rate and measures in frames.
_ANY_RATE = 30.0


def find_cuts(thumbnails: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whether the shot changes between a thumbnail and the next.

    Args:
        thumbnails: (n, h, w) grey, n at least 3, in order.

    Returns:
        (n - 1,); a dissolve is not recognised.

    Source: the AdaptiveDetector of PySceneDetect, driven frame by frame, so that only our own
    decoder ever reads a video.
    """
    from scenedetect.common import FrameTimecode
    from scenedetect.detectors import AdaptiveDetector

    count = len(thumbnails)
    cuts = np.zeros(count - 1, bool)
    detector = AdaptiveDetector(
        adaptive_threshold=CUT_RATIO,
        min_content_val=CUT_LEVELS,
        min_scene_len=0,
        window_width=_AROUND,
        luma_only=True,
    )
    # It judges no frame without neighbours; mirrored ones leave the motion as it is.
    order = np.pad(np.arange(count), _AROUND, mode="reflect")
    for place, frame in enumerate(_levelled(thumbnails[index]) for index in order):
        for cut in detector.process_frame(FrameTimecode(place, _ANY_RATE), frame):
            before = cut.frame_num - _AROUND - 1
            if 0 <= before < count - 1:
                cuts[before] = True
    return cuts


def _levelled(thumbnail: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(h, w, 3) BGR of common mean and contrast."""
    mean, spread = moments(thumbnail)
    gain = min(_SPREAD / spread, MOST_GAIN) if spread else 1.0
    levels = np.clip(np.rint(_MEAN + gain * (thumbnail - mean)), 0, 255).astype(np.uint8)
    return np.repeat(levels[..., None], 3, axis=2)


def moments(picture: NDArray[np.uint8]) -> tuple[float, float]:
    """Mean and standard deviation of a picture, from integer sums."""
    wide = picture.astype(np.int64)
    mean = int(wide.sum()) / wide.size
    return mean, math.sqrt(max(int((wide**2).sum()) / wide.size - mean**2, 0.0))
