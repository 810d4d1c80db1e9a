"""bubblewrap in front of the child: namespaces of its own for files, processes and network, where the system allows them."""

from __future__ import annotations

import shutil
import sys

from mrt.bench.sandbox.process import ROOT, readable_paths

_FOLDERS = ("/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/localtime")


def wrapper() -> tuple[str, ...]:
    """The words in front of the command, empty where bubblewrap is not installed."""
    program = shutil.which("bwrap")
    if program is None:
        return ()
    readable = dict.fromkeys((*_FOLDERS, *readable_paths(), sys.prefix, sys.base_prefix, ROOT))
    return (
        program,
        *("--unshare-all", "--die-with-parent", "--new-session", "--clearenv"),
        # First what is empty: an interpreter may lie beneath /tmp, and the scratch folder does.
        *("--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp"),  # noqa: S108 - the namespace's own
        *(word for path in readable if not path.startswith("/dev/") for word in ("--ro-bind-try", path, path)),
        *("--bind", "{scratch}", "{scratch}", "--chdir", "{scratch}"),
        *("--setenv", "PATH", "/usr/bin:/bin", "--setenv", "PYTHONHASHSEED", "0", "--setenv", "TMPDIR", "{scratch}"),
    )
