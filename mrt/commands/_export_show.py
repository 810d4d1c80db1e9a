"""Where an export goes: stdout, a file that is replaced in one step, or the JSON envelope; and its notes on stderr."""

from __future__ import annotations

from pathlib import Path

from mrt.commands._files import refuse_unwritable, write_file
from mrt.config import Config
from mrt.errors import UsageError
from mrt.exports.report import Export, grouped
from mrt.output import Console

STDOUT = Path("-")
FORCE_HINT = "replace it with --force, or name another file"


def refuse(path: Path | None, force: bool, config: Config) -> None:
    """Raises UsageError for a file that must not, or cannot, be written; the configuration itself is never replaced."""
    if path is None or path == STDOUT:
        return
    if path.exists() and any(own is not None and own.samefile(path) for own in (config.path, config.project_path)):
        raise UsageError(f"{path} is the configuration that is exported", "name another file")
    if path.is_file() and not force:
        raise UsageError(f"{path} exists", FORCE_HINT)
    refuse_unwritable(path)


def show(console: Console, target: str, export: Export, path: Path | None) -> None:
    """Write one export where it was asked for."""
    path = None if path == STDOUT else path
    if path is not None:
        write_file(path, export.text)
    if console.mode == "json":
        console.envelope(
            "export",
            {
                "target": target,
                "path": str(path) if path else None,
                "text": export.text,
                "variables": [{"name": needed.name, "what": needed.what} for needed in export.needed],
                "unmapped": [{"setting": lost.setting, "reason": lost.reason} for lost in export.lost],
                "notes": list(export.notes),
            },
        )
    elif path is None:
        console.write(export.text)
    tell(console, export)
    if path is not None:
        console.note(f"wrote {path}")


def tell(console: Console, export: Export) -> None:
    """What to know of it, on stderr."""
    for note in export.notes:
        console.note(f"note: {note}")
    for reason, settings in grouped(export.lost).items():
        console.note(f"not carried over: {', '.join(settings)} ({reason})")
