"""The data of a training in words, from the description its source gave."""

from collections.abc import Mapping
from typing import Any, Final

_ON: Final = {"camera": " on the camera track", "both": " on both tracks"}


def data_in_words(data: dict[str, Any]) -> str:
    """What a training saw, as a phrase.

    Args:
        data: the description of its source.
    """
    within = [data_in_words(part) for part in _parts(data)]
    match data.get("kind"):
        case "both tracks":
            return f"{within[0]}; half of all on the paper track, half on the camera track"
        case "in turn":
            return ", then ".join(within)
        case "mixture":
            return f"equal shares of {' and '.join(within)}"
        case "in context":
            return f"{within[0]}, each crop beside a small copy of the picture around it"
        case "few-shot":
            return f"{within[0]}, {data['labelled']} scenes of them with a ground truth"
        case "drawn":
            return f"{data['count']} samples of {within[0]}"
        case "generated":
            words = "generated moving scenes"
        case "photographs":
            words = _photographs(data)
        case "on device":
            generated = f"{data['scenes']} generated moving scenes" if data["scenes"] else ""
            words = " and ".join(filter(None, (generated, _photographs(data))))
        case "dataset":
            words = f"the train split of a built dataset (digest {data['digest'][:8]})"
        case other:
            words = str(other)
    return words + _ON.get(data.get("track", "paper"), "")


def whole_data(training: Mapping[str, Any]) -> dict[str, Any]:
    """One description of all that weights have seen, with what those had that they started from.

    Args:
        training: as `dmef-bench train` states it, with `data`.
    """
    match training:
        case {"started_from": {"training": {"data": {}} as before}}:
            return {"kind": "in turn", "parts": [whole_data(before), training["data"]]}
    data: dict[str, Any] = training["data"]
    return data


def tracks_seen(data: dict[str, Any]) -> list[str]:
    """On which tracks a training saw its data."""
    if data.get("kind") == "both tracks" or data.get("track") == "both":
        return ["paper", "camera"]
    if parts := _parts(data):
        return list(dict.fromkeys(track for part in parts for track in tracks_seen(part)))
    return [data.get("track", "paper")]


def first_crop(data: dict[str, Any]) -> int | None:
    """The side of the crops in pixels; None where no source says."""
    if isinstance(crop := data.get("crop"), int):
        return crop
    return next((crop for part in _parts(data) if (crop := first_crop(part)) is not None), None)


def _parts(data: dict[str, Any]) -> list[dict[str, Any]]:
    """The descriptions of the sources that a source is made of."""
    several: list[dict[str, Any]] = next(
        (data[name] for name in ("sources", "tracks", "parts") if name in data), []
    )
    return several or [data[name] for name in ("whole", "source") if name in data]


def _photographs(data: dict[str, Any]) -> str:
    count = len(data["sha256"])
    many = "photograph" if count == 1 else "photographs"
    return f"{count} {many} set in motion" if count else ""
