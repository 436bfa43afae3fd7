"""Why a row of Table 1 differs from the printed one, and what its rows say together: from facts."""

import math
from collections.abc import Sequence
from typing import Final

from dmef_bench.dataset import Dataset
from dmef_bench.dataset.records import SceneRecord
from dmef_bench.reproduce.compared_runs import Measured, Part
from dmef_bench.reproduce.contenders import Contender
from dmef_bench.reproduce.own_scenes import Frames
from leaderboard.published import NOTES, TABLE_1, Column, PublishedRow
from leaderboard.wording import amount, size

_PAPERS_GPU: Final = "RTX 4090"
_PAPERS_SCENES: Final = 30
_UHD: Final = (2160, 3840)
_COLUMNS: Final[tuple[Column, ...]] = (
    "resolution", "psnr", "ssim", "lpips", "seconds", "macs", "parameters",
)  # fmt: skip
_BOUNDS: Final = {
    "copy-reference": "Not in the paper: the reference as it is, which every method has to beat.",
    "invert-response": (
        "Not in the paper: the known camera response undone, the reference alone. What it lacks is "
        "what clipping and noise took."
    ),
}
_OTHER: Final = "Not in the paper's table."
_CLOSE: Final = 0.005


def reasons(
    one: Measured, part: Part, pixels: tuple[int, int], frames: Frames | None, lpips: str
) -> tuple[str, ...]:
    """A row's reasons, a sentence each.

    Args:
        one: what was measured.
        part: where it stands.
        pixels: (height, width) of the pictures.
        frames: of the scenes that were made for the table; None for a dataset's.
        lpips: why LPIPS is n/a; empty where it is not.
    """
    contender, printed = one.contender, one.contender.printed
    told = [one.why] if one.why else []
    told += [_BOUNDS.get(contender.name, _OTHER)] if printed is None else []
    if contender.origin.words():
        told.append(contender.origin.words())
    told += _seen(contender, part, frames)
    if one.result is not None and one.status == "measured":
        title = one.result.record.method.title
        told += [f"By its weights it is {title} here."] if title != contender.title else []
        told += _fed(one, pixels)
        told += _counts(one, printed) if part.printed else []
        told.append(_timed(one))
        told += [f"LPIPS is n/a: {lpips}."] if lpips else []
    if printed is not None and part.printed:
        names = [note for column in _COLUMNS for note in TABLE_1.notes_on(printed, column)]
        told += [NOTES[note] for note in dict.fromkeys(names)]
    return tuple(dict.fromkeys(told))


def _seen(one: Contender, part: Part, frames: Frames | None) -> list[str]:
    """What of the test its weights know already, and what they have never met."""
    told = []
    tested = frozenset(() if frames is None else frames.content)
    if both := tested & one.origin.photographs:
        told.append(
            f"{len(both)} of the {len(tested)} test photographs were among those its weights were "
            "trained on, set in motion otherwise."
        )
    if one.origin.tracks and part.track not in one.origin.tracks:
        told.append(f"Its weights have never met the track {part.track}.")
    return told


def _fed(one: Measured, pixels: tuple[int, int]) -> list[str]:
    fed = one.fed
    if fed is None or fed.name != "paper" or fed.resolution is None:
        return []
    small = min(fed.resolution[0], pixels[0]), min(fed.resolution[1], pixels[1])
    if small == pixels:
        return []
    share = math.prod(small) / math.prod(pixels)
    return [f"Scaled to {size(small)}, which leaves {share:.1%} of the picture's pixels."]


def _counts(one: Measured, printed: PublishedRow | None) -> list[str]:
    """Parameters and MACs beside the printed ones, where they are others."""
    result = one.result
    if result is None or printed is None:
        return []
    told = []
    ours = result.record.method.parameters
    if ours and printed.parameters and abs(ours / printed.parameters - 1) > _CLOSE:
        told.append(
            f"The network has {ours / 1e6:.4f}M parameters here, {ours / printed.parameters:.3g} "
            "times the printed number."
        )
    cost = result.record.cost
    if cost.macs and cost.macs_size and printed.macs:
        # Printed in M, but in G; 2.61T is what it says.
        there = printed.macs if printed.macs >= 1e12 else 1e3 * printed.macs
        told.append(
            f"{amount(cost.macs)} MACs in a call of {size(cost.macs_size)}; the printed figure is "
            f"{_times(there / cost.macs)} times that, if its unit is "
            f"{'T' if printed.macs >= 1e12 else 'G'}."
        )
    return told


def _timed(one: Measured) -> str:
    record = one.result.record if one.result is not None else None
    if record is None:
        return ""
    machine = record.machine
    threads = "" if machine.device != machine.processor else f", threads: {machine.threads}"
    other = "" if _PAPERS_GPU in machine.device else f", the paper on one {_PAPERS_GPU}"
    return f"Timed on {machine.device}{threads}, {record.protocol.precision}{other}."


def notes(dataset: Dataset, limit: int | None, frames: Frames | None) -> list[str]:
    """What holds for every row: the scenes."""
    scenes = dataset.scenes("test")[:limit]
    records = [scene.record for scene in scenes]
    sizes = sorted({(record.width, record.height) for record in records})
    told = [
        f"{len(scenes)} scene{'' if len(scenes) == 1 else 's'} of "
        f"{' and '.join(f'{w}×{h}' for w, h in sizes)}; the paper has "
        f"{_PAPERS_SCENES} of {size(_UHD)}."
    ]
    built = [record for record in records if isinstance(record, SceneRecord)]
    moved = [r.flow_p95_12 for r in built if r.flow_p95_12 is not None]
    white = [r.white_mid for r in built if r.white_mid is not None]
    if moved and white:
        told.append(
            f"Between frames 1 and 2 the 95th percentile of the motion is {_median(moved):.0f} "
            f"pixels of a 4K picture (median over scenes, at most {max(moved):.0f}); of the "
            f"reference on the track paper {_median(white):.1%} is clipped at white (at most "
            f"{max(white):.1%})."
        )
    if frames is not None:
        told += [f"Left out: {one}." for one in frames.left_out]
    return told


def together(part: Part, rows: Sequence[Measured]) -> list[str]:
    """What the rows of a part say together; nothing where too few are measured."""
    known = [(one, psnr) for one in rows if (psnr := one.mean("psnr")) is not None]
    bound = next((psnr for one, psnr in known if one.contender.name == "invert-response"), None)
    methods = [(one, psnr) for one, psnr in known if not one.contender.bound]
    told = []
    if bound is not None and methods:
        over = [f"{one.contender.title} by {psnr - bound:.2f} dB"
                for one, psnr in methods if psnr > bound]  # fmt: skip
        told.append(
            f"{part.heading}: above the inverted response ({bound:.2f} dB) are "
            + (f"{', '.join(over)}." if over else "none of the methods.")
        )
    both = [
        (printed.label, psnr, printed.psnr)
        for one, psnr in methods
        if (printed := one.contender.printed) is not None and printed.psnr is not None
    ]
    if len(both) > 2 and part.printed:
        ours = [name for name, _, _ in sorted(both, key=lambda row: -row[1])]
        theirs = [name for name, _, _ in sorted(both, key=lambda row: -row[2])]
        apart = sum((ours.index(name) - theirs.index(name)) ** 2 for name in ours)
        count = len(ours)
        agreement = 1 - 6 * apart / (count * (count**2 - 1))
        told.append(
            f"{part.heading}: by PSNR the order is {' > '.join(ours)}, printed it is "
            f"{' > '.join(theirs)} (Spearman's ρ {agreement:.2f})."
        )
    return told


def _times(ratio: float) -> str:
    return f"{ratio:.3g}" if ratio < 100 else f"{ratio:,.0f}"


def _median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
