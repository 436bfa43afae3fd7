"""The rows every table has, measured or not."""

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True)
class RosterEntry:
    """A method that belongs in every table, by the name it has on the command line."""

    name: str
    title: str
    kind: Literal["bound", "classical", "learned"]


ROSTER: Final = (
    RosterEntry("copy-reference", "Copy of the reference", "bound"),
    RosterEntry("invert-response", "Inverted response of the reference", "bound"),
    RosterEntry("mertens", "Mertens (OpenCV)", "classical"),
    RosterEntry("gdc", "GDC", "classical"),
    RosterEntry("ahdrnet", "AHDRNet", "learned"),
    RosterEntry("fshdr", "FSHDR", "learned"),
    RosterEntry("hdr-transformer", "HDR-Transformer", "learned"),
    RosterEntry("sctnet", "SCTNet", "learned"),
    RosterEntry("bracketire", "BracketIRE", "learned"),
    RosterEntry("safnet", "SAFNet", "learned"),
    RosterEntry("meflut", "MEFLUT", "learned"),
    RosterEntry("ipl", "IPL", "learned"),
)
