"""Copy a store that is in use: one consistent moment of it, whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from mrt.errors import StoreError, UsageError
from mrt.ledger.failures import translated
from mrt.ledger.store import Store

_ELSEWHERE = "name another file: mrt spend backup FILE"


def backup(store: Store, path: Path, *, replace: bool = False) -> int:
    """Write a compact copy to `path`, readable by its owner only; its size in bytes.

    Raises UsageError when the file exists and `replace` is not set, StoreError when it cannot be written; an older copy at
    `path` stays until the new one is complete.
    """
    if path.exists() and not replace:
        raise UsageError(f"{path} exists", f"replace it with --force, or {_ELSEWHERE}")
    if store.path is not None and path.exists() and any(path.samefile(own) for own in _files_of(store.path)):
        raise UsageError(f"{path} is the store itself", _ELSEWHERE)
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} is no regular file", _ELSEWHERE)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        with store.lock, translated(part):
            store.connection.execute("VACUUM INTO ?", (str(part),))
        size = part.stat().st_size
        part.replace(path)
    except OSError as error:
        raise StoreError(f"the backup {path} cannot be written: {error.strerror}", _ELSEWHERE) from error
    except StoreError as error:
        raise StoreError(error.message.replace("the spend store", "the backup", 1), _ELSEWHERE) from error
    finally:
        with suppress(OSError):
            part.unlink()
    return size


def _files_of(path: Path) -> list[Path]:
    """The store and what SQLite keeps beside it: the last rows may be in those alone."""
    beside = [path.with_name(path.name + suffix) for suffix in ("", "-wal", "-shm", "-journal")]
    return [one for one in beside if one.exists()]
