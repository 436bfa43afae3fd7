"""Fuse a folder or a video of alternating exposures into a sequence of pictures or a video."""

from dmef_bench.fuse_sequence.exposures import EVPattern, parse_pattern
from dmef_bench.fuse_sequence.frames import FolderFrames, Frames, VideoFrames, open_frames
from dmef_bench.fuse_sequence.results import PictureFolder, Results, VideoFile, open_results
from dmef_bench.fuse_sequence.run import SequenceOptions, SequenceResult, fuse_sequence

__all__ = [
    "EVPattern",
    "FolderFrames",
    "Frames",
    "PictureFolder",
    "Results",
    "SequenceOptions",
    "SequenceResult",
    "VideoFile",
    "VideoFrames",
    "fuse_sequence",
    "open_frames",
    "open_results",
    "parse_pattern",
]
