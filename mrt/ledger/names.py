"""Names that the user gave, as the store has them: conversations, tags and projects, for completion alone."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Literal

MOST = 100
_QUERIES = {
    "session": "SELECT name FROM conversations ORDER BY used_us DESC LIMIT ?",
    "tag": "SELECT DISTINCT tag FROM rollup WHERE tag != '' LIMIT ?",
    "project": "SELECT DISTINCT project FROM rollup WHERE project != '' LIMIT ?",
    "call": "SELECT id FROM calls ORDER BY started_us DESC LIMIT ?",
}


def kept_names(path: Path, kind: Literal["session", "tag", "project", "call"]) -> list[str]:
    """Names of one kind, of conversations and calls the last used first; none where the store cannot be read at once.

    Changes nothing: a store that is not there is not made, and none is brought up to date.
    """
    import sqlite3

    if not path.is_file():
        return []
    # With nobody at work the file is all there is, and reading it leaves no files of SQLite's own behind.
    alone = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
    address = f"{path.absolute().as_uri()}?mode=ro{alone}"
    try:
        with closing(sqlite3.connect(address, uri=True, timeout=0)) as connection:
            return [str(name) for (name,) in connection.execute(_QUERIES[kind], (MOST,)) if name]
    except sqlite3.Error:
        return []
