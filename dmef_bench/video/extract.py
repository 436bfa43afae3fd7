"""Take the three chosen frames out of a clip, as 8-bit RGB in display orientation."""

import numpy as np
from numpy.typing import NDArray

from dmef_bench.video.choose import Choice
from dmef_bench.video.clip import Clip
from dmef_bench.video.colour import to_rgb
from dmef_bench.video.decode import decode
from dmef_bench.video.held import convert
from dmef_bench.video.orientation import orient
from dmef_bench.video.rejected import Rejected

Frame = NDArray[np.uint8]


def extract_frames(clip: Clip, choice: Choice) -> tuple[Frame, Frame, Frame]:
    """The frames shown at exactly the chosen times, as (H, W, 3) uint8 RGB.

    Frames that the choice still holds are converted, others are decoded again, with equal results.
    Nothing is lost but what `clip.colour` says: the matrix to RGB, the range, and its policy.

    Raises:
        Rejected: "unreadable": not these three frames came, or not with the size probed.
    """
    pictures = _decoded_again(clip, choice) if choice.raw is None else convert(clip, choice.raw)
    first, second, third = (orient(picture, clip.orientation) for picture in pictures)
    return first, second, third


def _decoded_again(clip: Clip, choice: Choice) -> list[Frame]:
    decoded = decode(
        clip.path,
        clip.demuxer,
        to_rgb(clip.colour),
        count=3,
        bytes_each=clip.coded_width * clip.coded_height * 3,
        window=choice.window,
        clock=clip.time_base,
        select="+".join(f"eq(pts,{ticks})" for ticks in choice.ticks),
    )
    if tuple(info.ticks for info in decoded.infos) != choice.ticks:
        raise Rejected("unreadable", "a second decoding gave other frames; was the file changed?")
    shape = clip.coded_height, clip.coded_width, 3
    return [np.frombuffer(picture, np.uint8).reshape(shape) for picture in decoded.pictures]
