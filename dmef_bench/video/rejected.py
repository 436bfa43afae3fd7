"""The one way a video is turned down: a code to count by and a reason to read."""

from typing import Literal, get_args

from dmef_bench.errors import DmefError

Code = Literal[
    "empty",
    "not-a-video",
    "truncated",
    "no-video-stream",
    "unsupported-codec",
    "unsupported-colour",
    "too-large",
    "too-small",
    "too-short",
    "hdr",
    "interlaced",
    "non-square-pixels",
    "alpha",
    "rotation",
    "no-timestamps",
    "no-motion",
    "no-frames",
    "time-limit",
    "unreadable",
    "duplicate",
    "near-duplicate",
]
CODES: tuple[str, ...] = get_args(Code)


class Rejected(DmefError):  # noqa: N818 - what happened, in one word
    """A video that can't give a scene.

    Attributes:
        code: one of `CODES`.
        reason: one sentence for people, without the file's name, which its catcher knows. The same
            for the same video and settings on every machine, so that it may be recorded.
        detail: ffmpeg's own words, where it said any. They depend on the order in which its
            threads meet an error: to be shown, not recorded.
    """

    def __init__(self, code: Code, reason: str, detail: str = "") -> None:
        super().__init__(code, reason, detail)
        self.code = code
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        return f"{self.reason} ({self.detail})" if self.detail else self.reason
