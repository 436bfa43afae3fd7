"""From a video to three frames: find, probe, accept or turn down, choose, extract."""

from dmef_bench.video.accept import Rules, accept
from dmef_bench.video.choose import Choice, ChoiceOptions, choose_frames, choose_scenes
from dmef_bench.video.clip import Clip, Colour
from dmef_bench.video.extract import extract_frames
from dmef_bench.video.ffmpeg import FFMPEG_FLAGS, ffmpeg_version
from dmef_bench.video.find import find_videos, shown_name
from dmef_bench.video.probe import probe
from dmef_bench.video.rejected import CODES, Rejected
from dmef_bench.video.room import Room

__all__ = [
    "CODES",
    "FFMPEG_FLAGS",
    "Choice",
    "ChoiceOptions",
    "Clip",
    "Colour",
    "Rejected",
    "Room",
    "Rules",
    "accept",
    "choose_frames",
    "choose_scenes",
    "extract_frames",
    "ffmpeg_version",
    "find_videos",
    "probe",
    "shown_name",
]
