"""What `mrt config`, `mrt help` and `mrt completion` print for scripts."""

from __future__ import annotations

from mrt.output.schemas.form import (
    ANYTHING,
    FLAG,
    OPEN,
    TEXT,
    described,
    known_or_null,
    record,
    several,
    words,
)

SETTING = record(
    key=TEXT,
    value=ANYTHING,
    origin=record(kind=words("environment", "project", "file", "default"), where=known_or_null(TEXT)),
)
PROJECT = described(known_or_null(TEXT), "the project's file, where there is one")
SHOW = record(path=known_or_null(TEXT), project=PROJECT, settings=several(SETTING))
PATH = record(path=TEXT, exists=FLAG, project=PROJECT)
SET = record(path=TEXT, values=OPEN, added=described(several(TEXT), "tables that were not there"))
INIT = record(path=TEXT)
CHECK = record(
    path=TEXT,
    findings=several(record(severity=words("error", "warning"), where=TEXT, message=TEXT, hint=known_or_null(TEXT))),
)
HELP = record(topic=known_or_null(TEXT), text=TEXT)
COMPLETION = record(shell=TEXT, script=TEXT)
