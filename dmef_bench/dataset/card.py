"""`README.md`: the dataset card, with the YAML the Hugging Face Hub reads."""

from dmef_bench.dataset.manifest import Manifest
from dmef_bench.dataset.records import PICTURES, DatasetRecord

_SIZES = ((1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"))

_TEXT = """\
---
pretty_name: "{name}"
license: {licence}
task_categories:
- image-to-image
tags:
- multi-exposure-fusion
- hdr
- 4k
size_categories:
- {size}
configs:
- config_name: default
  data_files:
{data_files}
---

# {name}

{description}

| split | scenes |
|---|---|
{counts}

Each scene is a folder of PNG files of 8 bits a channel: `low.png`, `mid.png` and `high.png`, made \
from frames 1, 2 and 3 of one video, and `gt.png`, the unaltered frame 2. `mid.png` is the \
reference: a fused picture has its geometry and is compared with `gt.png`.{nine}{beside}

{example}

## How it was made

dmef-bench {version}, track `{track}`, after the description of 4K-DMEF in Chen et al., AAAI 2025 \
(doi 10.1609/aaai.v39i2.32224). {exposures}

| setting | value |
|---|---|
{settings}
| seed | {seed} |
| ffmpeg | {ffmpeg} |
| split | {split_rule} |

`dataset.json` holds the same with the videos that were looked at and not taken; \
`*/metadata.jsonl` has a line a scene; `croissant.json` has the SHA-256 of every file, checked by \
`dmef-bench verify`.
"""

_NINE = (
    " The other six pictures of the nine (three frames at three exposures) lie beside them as "
    "`frame1_mid.png` and so on."
)

_BESIDE = (
    " `camera_low.png`, `camera_mid.png` and `camera_high.png` are the same three exposures on the "
    "camera track."
)
_PAPER = (
    "The exposures are synthesised with the camera response model {model} at EV {evs}, clipped and "
    "rounded to 8 bits."
)
_CAMERA = (
    "A camera is drawn for each scene: its response, its EVs around {evs} and its sensor noise, "
    "which is added in linear light before the response; then the exposures are clipped and "
    "rounded to 8 bits{jpeg}. Each scene's line says what was drawn."
)


def _exposures(record: DatasetRecord) -> str:
    through_jpeg = record.settings.get("camera_jpeg", "none") != "none"
    jpeg = ", then saved as JPEG and read back" if through_jpeg else ""
    texts = {"paper": _PAPER, "camera": _CAMERA}
    if len(record.tracks) == 1:
        text = texts[record.tracks[0]]
    else:
        text = " ".join(f"Track `{track}`: {texts[track]}" for track in record.tracks)
    return text.format(model=record.settings["model"], evs=record.settings["evs"], jpeg=jpeg)


def _example(manifest: Manifest) -> str:
    """The last split's first scene as a table of its pictures, which the Hub shows on the page."""
    split, scenes = list(manifest.scenes.items())[-1]
    shown = [(picture, scenes[0].pictures()[picture][0]) for picture in PICTURES]
    return "\n".join(
        (
            f"| {' | '.join(picture for picture, _ in shown)} |",
            "|---" * len(shown) + "|",
            f"| {' | '.join(f'![{picture}]({split}/{name})' for picture, name in shown)} |",
            "",
            f"Scene {scenes[0].scene} of {split}.",
        )
    )


def describe(manifest: Manifest) -> str:
    """The dataset in one sentence."""
    return (
        f"{sum(manifest.record.scenes.values())} dynamic scenes for multi-exposure image fusion: "
        "three frames of a video at three exposures, with the middle frame as ground truth."
    )


def size_category(scenes: int) -> str:
    """The Hub's word for the number of scenes."""
    return next((word for limit, word in _SIZES if scenes < limit), "100K<n<1M")


def render_card(manifest: Manifest) -> bytes:
    """The bytes of README.md; equal manifests give equal bytes."""
    record = manifest.record
    settings = record.settings
    return _TEXT.format(
        name=record.name,
        licence=settings["license"],
        size=size_category(sum(record.scenes.values())),
        data_files="\n".join(
            f'  - split: {split}\n    path: "{split}/**"' for split in record.scenes
        ),
        description=describe(manifest),
        counts="\n".join(f"| {split} | {count} |" for split, count in record.scenes.items()),
        nine=_NINE if settings["all_exposures"] == "yes" else "",
        beside=_BESIDE if len(record.tracks) > 1 else "",
        example=_example(manifest),
        version=record.package_version,
        track=record.track,
        exposures=_exposures(record),
        settings="\n".join(f"| {name} | {value} |" for name, value in settings.items()),
        seed=record.seed,
        ffmpeg=record.ffmpeg,
        split_rule=record.split_rule,
    ).encode()
