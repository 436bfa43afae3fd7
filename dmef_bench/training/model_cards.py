"""Write the model cards of all shipped weights: `python -m dmef_bench.training.model_cards`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from baselines.weights_training import steps_in_words
from dmef_bench.atomic_write import atomic_write
from dmef_bench.errors import DmefError
from dmef_bench.training.shipped import ShippedWeights, shipped_weights
from dmef_bench.training.shipped.card import COMMAND, model_card, title_of

FOLDER: Final = Path("docs/model-cards")
INDEX: Final = "README.md"


def model_cards(shipped: Sequence[ShippedWeights]) -> dict[str, str]:
    """Every page by file name: a card for each file of weights, and an index."""
    pages = {f"{weights.method}.md": model_card(weights) for weights in shipped}
    return pages | {INDEX: _index(shipped)}


def _index(shipped: Sequence[ShippedWeights]) -> str:
    megabytes = sum(weights.size for weights in shipped) / 1e6
    lines = [
        "# The shipped weights",
        "",
        f"Written by `{COMMAND}` from what the weights files state; not edited by hand.",
        "",
        "Methods load these files unless `--weights FILE` names another. All were trained here; "
        "none are their authors'. PSNR is the mean of 8-bit results on held-out generated scenes, "
        "on the paper track and on the camera track; the cards say how many and how large, and "
        f"what a copy of the reference gets. Together they have {megabytes:.1f} MB.",
        "",
        "| method | weights of | parameters | steps | hours | paper | camera | SHA-256 |",
        "|---|---|---|---|---|---|---|---|",
        *(_line(weights) for weights in shipped),
    ]
    return "\n".join(lines) + "\n"


def _line(weights: ShippedWeights) -> str:
    record = weights.record
    figures = (weights.check if record is None else record.validation).tracks
    shown = [
        f"{figures[track].psnr:.2f} dB" if track in figures else "not recorded"
        for track in ("paper", "camera")
    ]
    cells = [
        f"[{weights.method}]({weights.method}.md)",
        title_of(weights),
        "not recorded" if record is None else f"{record.parameters:,}",
        steps_in_words(weights.training),
        "not recorded" if record is None else f"{record.hours:g}",
        *shown,
        f"`{weights.sha256}`",
    ]
    return "| " + " | ".join(cells) + " |"


def write_model_cards(folder: Path, shipped: Sequence[ShippedWeights]) -> list[Path]:
    """Write every page, and remove cards of weights that are no longer shipped."""
    pages = model_cards(shipped)
    for name, text in pages.items():
        atomic_write(folder / name, text.encode())
    for path in folder.glob("*.md"):
        if path.name not in pages:
            path.unlink()
    return [folder / name for name in pages]


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=FOLDER)
    try:
        for path in write_model_cards(parser.parse_args(arguments).out, shipped_weights()):
            print(path)
    except DmefError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
