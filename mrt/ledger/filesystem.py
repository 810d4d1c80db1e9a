"""Which kind of file system a file is on, and whether several processes can share a SQLite log there."""

from __future__ import annotations

from pathlib import Path

MOUNTS = Path("/proc/mounts")
# Write-ahead logging needs memory that all users of the file share, so it works on one machine's own disks only.
_NETWORK = ("afs", "beegfs", "ceph", "cifs", "coda", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4", "orangefs")
_WINDOWS = ("smb2", "smb3", "smbfs")
_HOST_OF_A_GUEST = ("9p", "drvfs", "fuse.vmhgfs-fuse", "prl_fs", "vboxsf", "virtiofs")
_USER_SPACE = ("davfs", "fuse.gcsfuse", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs", "fuse.sshfs")
_REMOTE = frozenset((*_NETWORK, *_WINDOWS, *_HOST_OF_A_GUEST, *_USER_SPACE))


def remote_kind(path: Path, mounts: Path = MOUNTS) -> str | None:
    """The kind of network file system the file is on; None on a local one, and where the system does not tell."""
    try:
        lines = mounts.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    place = path.resolve()
    kind, depth = "", -1
    for line in lines:
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        point = Path(_unescaped(fields[1]))
        # Of mounts over one another the last one counts.
        if len(point.parts) >= depth and place.is_relative_to(point):
            kind, depth = fields[2], len(point.parts)
    return kind if kind in _REMOTE else None


def _unescaped(text: str) -> str:
    """Blanks and backslashes are written as three octal digits."""
    for code, character in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, character)
    return text
