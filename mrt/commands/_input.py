"""Read what the user gives besides the prompt: standard input and files, as text or with a clear refusal."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from mrt.errors import UsageError
from mrt.output import Console
from mrt.output.console import is_terminal

LARGEST_INPUT = 64 * 1024 * 1024
_PIECE = 1024 * 1024


def read_stdin(console: Console, explicit: bool, has_prompt: bool, timeout: float, encoding: str) -> str | None:
    """Standard input as text, or None when there is none to wait for.

    A terminal is never read unless asked for with `-`. With a prompt at hand an idle pipe is left after `timeout` seconds:
    cron jobs and CI runners often leave one open for ever.
    """
    stream = console.stdin
    if stream is None or (is_terminal(stream) and not explicit):
        return None
    try:
        descriptor = stream.fileno()
    except (ValueError, OSError):
        return None
    if has_prompt and not explicit and not (_ready(descriptor, 0) or _waited(console, descriptor, timeout)):
        console.note(
            f"nothing came on stdin within {timeout:g} s: going on without it (`-` waits for it, --no-stdin never does)"
        )
        return None
    return decode(_read_all(descriptor), "stdin", encoding) or None


def says_something(console: Console, timeout: float) -> bool:
    """Whether stdin, which is no terminal, holds anything yet, or within `timeout` seconds; nothing of it is read.

    False where a system cannot tell.
    """
    if os.name != "posix" or console.stdin is None:
        return False
    import fcntl
    import struct
    import termios

    try:
        descriptor = console.stdin.fileno()
        if not (_ready(descriptor, 0) or _waited(console, descriptor, timeout)):
            return False
        (size,) = struct.unpack("i", fcntl.ioctl(descriptor, termios.FIONREAD, bytes(4)))
    except (ValueError, OSError):  # closed, or of a kind that holds nothing
        return False
    return bool(size)


def _waited(console: Console, descriptor: int, timeout: float) -> bool:
    with console.waiting("waiting for stdin ..."):
        return _ready(descriptor, timeout)


def _ready(descriptor: int, timeout: float) -> bool:
    if os.name != "posix":
        return True
    import select

    return bool(select.select([descriptor], [], [], timeout)[0])


def _read_all(descriptor: int) -> bytes:
    pieces: list[bytes] = []
    size = 0
    try:
        while piece := os.read(descriptor, _PIECE):
            pieces.append(piece)
            size += len(piece)
            if size > LARGEST_INPUT:
                raise UsageError(f"stdin is larger than {LARGEST_INPUT // 2**20} MiB", "send a part of it")
    except OSError as error:
        # `mrt ask hi <&-` leaves a descriptor that cannot be read: the same as no input.
        if error.errno == 9:  # EBADF
            return b""
        raise UsageError(f"stdin cannot be read: {error.strerror}", "`--no-stdin` leaves it alone") from None
    return b"".join(pieces)


def read_files(paths: Sequence[Path], encoding: str) -> list[tuple[str, str]]:
    """Each file's name and text."""
    return [(str(path), _read_file(path, encoding)) for path in paths]


def _read_file(path: Path, encoding: str) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_INPUT + 1)
    except OSError as error:
        raise UsageError(
            f"{path} cannot be read: {error.strerror}", "check the name, and that you may read it"
        ) from None
    if len(content) > LARGEST_INPUT:
        raise UsageError(f"{path} is larger than {LARGEST_INPUT // 2**20} MiB", "send a part of it")
    return decode(content, str(path), encoding)


def decode(content: bytes, name: str, encoding: str) -> str:
    """Bytes as text; raises a UsageError for binary content and for bytes that are not in the encoding."""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        wrong = f"byte 0x{content[error.start]:02x} at offset {error.start}"
        raise UsageError(
            f"{name} is not {encoding} text ({wrong})", "name the right one, for example --encoding latin-1"
        ) from None
    except (LookupError, UnicodeError):
        raise UsageError(f"unknown encoding {encoding!r}", "for example utf-8, latin-1, cp1252, utf-16") from None
    if "\0" in text:
        raise UsageError(
            f"{name} looks binary (it holds a NUL character)", "send text, for example what `strings` prints"
        )
    return text.removeprefix("\ufeff")


def join_prompt(prompt: str, files: Sequence[tuple[str, str]], stdin: str | None) -> str:
    """The instruction first, then what it is about; input that comes alone is the prompt itself."""
    if stdin is not None and not prompt and not files:
        return stdin
    parts = [prompt] if prompt else []
    parts += [f'<file name="{name}">\n{_ended(text)}</file>' for name, text in files]
    if stdin is not None:
        parts.append(f"<stdin>\n{_ended(stdin)}</stdin>")
    return "\n\n".join(parts)


def ask_and_pasted(prompt: str, files: Sequence[tuple[str, str]], stdin: str | None) -> tuple[str, str]:
    """What is asked, and the material that came with it; what comes alone is the prompt itself."""
    material = [text for _, text in files] + ([] if stdin is None else [stdin])
    return (prompt, "\n\n".join(material)) if prompt else ("\n\n".join(material), "")


def _ended(text: str) -> str:
    return text if text.endswith("\n") or not text else text + "\n"
