"""IPL+: our own network beside the reference model; what the paper's leaves on the table.

Tone curves bring every exposure to the ground truth's brightness (`tone_curves`), a pyramid finds
where the outer exposures' pixels belong in the reference (`alignment`), and a small U-Net at half
resolution decides for every pixel and channel whom to believe (`model`).
"""

from dmef_bench.ipl_plus.config import IPLPlusConfig
from dmef_bench.ipl_plus.model import IPLPlus, Parts

__all__ = ["IPLPlus", "IPLPlusConfig", "Parts"]
