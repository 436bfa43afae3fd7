"""Find the videos of a folder, and write their names so that a terminal survives them."""

import os
from pathlib import Path

from dmef_bench.errors import UsageError

SUFFIXES = frozenset({".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mts", ".m2ts", ".ts"})


def find_videos(folder: Path) -> list[Path]:
    """Every regular file under `folder` with a video's suffix, in the byte order of its path.

    A link is taken only where it leads to a file inside `folder`; linked folders are not entered.

    Raises:
        UsageError: `folder`, or a folder inside it, is missing, no folder or not readable.
    """

    def refuse(error: OSError) -> None:
        raise UsageError(
            f"{shown_name(Path(error.filename))}: can't be read as a folder of videos "
            f"({error.strerror})"
        ) from error

    root = folder.resolve()
    found = []
    for parent, _, names in os.walk(folder, onerror=refuse):
        for name in names:
            path = Path(parent, name)
            if path.suffix.lower() not in SUFFIXES or not path.is_file():
                continue
            if not path.is_symlink() or path.resolve().is_relative_to(root):
                found.append(path)
    return sorted(found, key=os.fsencode)


def shown_name(path: Path) -> str:
    r"""The name of a file as plain printable text.

    A relative path is shown in full, an absolute one by its last part, so that no machine's
    folders reach a dataset. Backslashes, control and other unprintable characters, and bytes that
    are no UTF-8, are written as escapes (``\\``, ``\n``, ``\xff``).
    """
    text = path.name if path.is_absolute() else str(path)
    return "".join(map(_shown_character, text))


def _shown_character(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # how Python carries a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if character == "\\" or not character.isprintable():
        return character.encode("unicode_escape").decode("ascii")
    return character
