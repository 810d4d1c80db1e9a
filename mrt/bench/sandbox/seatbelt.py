"""macOS' own sandbox in front of the child: `sandbox-exec` with a profile that denies what computing does not need."""

from __future__ import annotations

import os
import sys

from mrt.bench.sandbox.process import ROOT, Walls, readable_paths

_PROGRAM = "/usr/bin/sandbox-exec"


def walls() -> Walls:
    """Walls for macOS; Landlock and seccomp are Linux' own."""
    return Walls(landlock=False, seccomp=False, wrapper=(_PROGRAM, "-D", "SCRATCH={scratch}", "-p", profile()))


def profile() -> str:
    """The profile, in the sandbox' own language: everything denied, then what Python reads. The scratch folder is the
    child's current one, named by the parameter that `run_child` fills in."""
    library = [sys.base_prefix, sys.base_exec_prefix, "/System", "/usr/lib", "/private/var/db/dyld"]
    readable = _places("subpath", [*readable_paths(), *library[2:], f"{ROOT}/mrt/bench/sandbox"])
    # Importing lists the folders on the way, and the two files that make them packages; the tasks beside them stay closed.
    way = [f"{ROOT}/mrt", f"{ROOT}/mrt/bench"]
    read_alone = _places("literal", ["/", ROOT, *way, *(f"{folder}/__init__.py" for folder in way), sys.executable])
    programs = _places("subpath", [f"{prefix}/{part}" for prefix in library[:2] for part in ("bin", "Resources")])
    return (
        "(version 1)(deny default)(allow sysctl-read)(allow file-read-metadata)"
        f"(allow process-exec {programs} {_places('literal', [sys.executable])})(deny process-fork)"
        f"(allow file-read* {readable} {read_alone} {programs})"
        '(allow file-read* file-write* (subpath (param "SCRATCH")))(allow file-write-data (literal "/dev/null"))'
        "(deny network*)(allow signal (target self))(deny signal (target others))"
    )


def _places(kind: str, paths: list[str]) -> str:
    """Filters for paths, as they are written and as the kernel sees them: it looks at real paths only."""
    both = dict.fromkeys(form for path in paths for form in (path, os.path.realpath(path)))
    return " ".join(f'({kind} "{_quoted(path)}")' for path in both)


def _quoted(path: str) -> str:
    return path.replace("\\", "\\\\").replace('"', '\\"')
