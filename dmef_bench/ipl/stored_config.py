"""Configurations that travel in weights files and on the command line."""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self


@dataclass(frozen=True)
class StoredConfig:
    """A frozen dataclass of numbers, flags and words, written as JSON and changed by text."""

    def to_json(self) -> str:
        """The configuration as one line of JSON, for the metadata of a weights file."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote; a field that is not there keeps its default.

        Raises:
            ValueError: no JSON object, an unknown field, or a value out of range.
        """
        try:
            fields = json.loads(text)
        except RecursionError:
            raise ValueError(f"{cls.__name__} is a JSON object, not a deep nest") from None
        if not isinstance(fields, dict):
            raise ValueError(f"{cls.__name__} is a JSON object, got {text[:80]!r}")
        return cls(**cls._known(fields))

    def changed(self, texts: Mapping[str, str]) -> Self:
        """This configuration with fields replaced by values written as text ("lfe": "prose").

        Raises:
            ValueError: an unknown field, or a value of the wrong kind or out of range.
        """
        values: dict[str, Any] = {}
        for name, text in self._known(texts).items():
            word = isinstance(getattr(self, name), str)
            values[name] = text if word else self._number_or_flag(name, text)
        return dataclasses.replace(self, **values)

    @classmethod
    def _known(cls, fields: Mapping[str, Any]) -> dict[str, Any]:
        known = [field.name for field in dataclasses.fields(cls)]
        for name in fields:
            if name not in known:
                raise ValueError(f"{cls.__name__} has no field {name!r}; it has {', '.join(known)}")
        return dict(fields)

    @classmethod
    def _number_or_flag(cls, name: str, text: str) -> object:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            raise ValueError(
                f"{cls.__name__}.{name} is a whole number, true or false; got {text[:80]!r}"
            ) from None
