"""Files that commands write reports into: refused before the work where they cannot be written, replaced in one step after it."""

from __future__ import annotations

import os
from pathlib import Path

from mrt.errors import UsageError

_ELSEWHERE = "name a file elsewhere"
_ANEW = 0o666


def refuse_unwritable(path: Path) -> None:
    """Raises UsageError for a file that cannot be written as things are, so that no work is done in vain."""
    try:
        folder = path.resolve().parent
    except (OSError, RuntimeError) as error:  # a folder that is gone, or a loop of links
        raise UsageError(f"cannot write {path}: {_reason(error)}", _ELSEWHERE) from None
    if path.is_dir():
        raise UsageError(f"cannot write {path}: it is a directory", f"name a file in it: {path / 'report'}")
    if not folder.is_dir():
        raise UsageError(f"cannot write {path}: there is no directory {folder}", f"make it first: mkdir -p {folder}")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise UsageError(f"cannot write {path}: permission denied", _ELSEWHERE)


def write_file(path: Path, text: str, hint: str = _ELSEWHERE) -> None:
    """Write or replace it, whole or not at all; a pipe or a device is written to. Raises UsageError with that hint."""
    from mrt.config.files import replace_file

    content = text.encode("utf-8", "replace")
    try:
        if path.exists() and not path.is_file():
            # As it is named: what /dev/stdout leads to may be a pipe, which has no path.
            path.write_bytes(content)
        else:
            target = path.resolve()
            replace_file(target, content, _mode(target))
    except (OSError, RuntimeError) as error:
        raise UsageError(f"cannot write {path}: {_reason(error)}", hint) from None


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def _mode(target: Path) -> int:
    """That of the file there is, else what the user's mask leaves of read and write for all."""
    if target.exists():
        return target.stat().st_mode & 0o777
    mask = os.umask(0o077)
    os.umask(mask)
    return _ANEW & ~mask
