"""Untrusted ZIP archives: the directory is checked before any member is unpacked.

A small archive can unpack to terabytes, list millions of members, or name files outside a folder. Every limit here
is checked on the archive's directory, and a member is never unpacked beyond the size that its entry states.
"""

from __future__ import annotations

import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from affinity_zoo.plugins.errors import AffinityZooError

_STORED_OR_DEFLATED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_END = struct.Struct("<4s4H2LH")  # end of the central directory
_END_64 = struct.Struct("<4sQ2H2L4Q")  # its ZIP64 form


@dataclass(frozen=True)
class Limits:
    """The largest archive that is opened.

    Attributes:
        file: bytes of the archive.
        members: number of members.
        unpacked: bytes of all members together.
        ratio: unpacked bytes of a member for each packed byte; small members are exempt.
    """

    file: int = 2 << 30
    members: int = 10_000
    unpacked: int = 2 << 30
    ratio: int = 100


#: below this many unpacked bytes a high ratio is harmless (short texts compress well)
_SMALL = 1 << 20


@contextmanager
def open_archive(path: Path, limits: Limits) -> Iterator[zipfile.ZipFile]:
    """Open a ZIP archive whose directory keeps the limits.

    Args:
        path: the archive.
        limits: the largest archive that is accepted.

    Yields:
        The open archive.

    Raises:
        AffinityZooError: it is no ZIP archive, is damaged, exceeds a limit, or holds a member that is encrypted,
            packed by a method other than deflate, listed twice, or named with a path outside the archive.
    """
    try:
        _check_directory(path, limits)
        with zipfile.ZipFile(path) as archive:
            _check_members(archive, path, limits)
            yield archive
    except (zipfile.BadZipFile, struct.error, NotImplementedError, UnicodeDecodeError) as error:
        raise AffinityZooError(f"{path}: not a whole ZIP archive ({error}); get the file again") from error
    except OSError as error:
        raise AffinityZooError(f"{path}: cannot be read ({error.strerror or error})") from error


def read_member(archive: zipfile.ZipFile, name: str, most: int) -> bytes:
    """Unpack one member.

    Args:
        archive: from :func:`open_archive`.
        name: the member.
        most: the largest size in bytes that is accepted.

    Returns:
        The member's bytes.

    Raises:
        AffinityZooError: there is no such member, it is larger, or it is damaged.
    """
    try:
        entry = archive.getinfo(name)
    except KeyError:
        raise AffinityZooError(
            f"{archive.filename}: has no member {name!r}: it is damaged or of another kind; get the file again"
        ) from None
    if entry.file_size > most:
        raise AffinityZooError(
            f"{archive.filename}: refused, its member {name!r} unpacks to {entry.file_size:,} bytes, more than {most:,}"
        )
    try:
        with archive.open(entry) as file:
            data = file.read(entry.file_size + 1)
    except (zipfile.BadZipFile, EOFError, OSError, ValueError, RuntimeError, zlib.error) as error:
        raise AffinityZooError(
            f"{archive.filename}: its member {name!r} is damaged ({error}); get the file again"
        ) from error
    if len(data) != entry.file_size:
        raise AffinityZooError(f"{archive.filename}: its member {name!r} is cut off; get the file again")
    return data


def _check_directory(path: Path, limits: Limits) -> None:
    """Check the number of members and the directory's size before the ``zipfile`` module reads each entry."""
    size = path.stat().st_size
    if size > limits.file:
        raise AffinityZooError(f"{path}: refused, it has {size:,} bytes, more than {limits.file:,}")
    with path.open("rb") as file:
        start = max(0, size - _END.size - (1 << 16))
        file.seek(start)
        tail = file.read()
        at = tail.rfind(b"PK\x05\x06")
        if at < 0 or len(tail) - at < _END.size:
            raise zipfile.BadZipFile("it has no directory")
        members, directory = _END.unpack_from(tail, at)[4:6]
        at_64 = tail.rfind(b"PK\x06\x06", 0, at)
        if at_64 >= 0 and at - at_64 >= _END_64.size:
            members_64, directory_64 = _END_64.unpack_from(tail, at_64)[7:9]
            members, directory = max(members_64, members % 0xFFFF), max(directory_64, directory % 0xFFFFFFFF)
    if members > limits.members or directory > limits.members * 512:
        raise AffinityZooError(
            f"{path}: refused, it lists {members:,} members in {directory:,} bytes, more than {limits.members:,}"
        )


def _check_members(archive: zipfile.ZipFile, path: Path, limits: Limits) -> None:
    entries = archive.infolist()
    names = [entry.orig_filename for entry in entries]
    if len(entries) > limits.members:
        raise AffinityZooError(
            f"{path}: refused, it lists {len(entries):,} members, more than {limits.members:,}"
        )
    if len(set(names)) < len(names):
        raise AffinityZooError(f"{path}: refused, it lists a member twice")
    for entry in entries:
        wrong = _wrong_with(entry, limits)
        if wrong:
            raise AffinityZooError(f"{path}: refused, its member {entry.orig_filename[:80]!r} {wrong}")
    total = sum(entry.file_size for entry in entries)
    if total > limits.unpacked:
        raise AffinityZooError(
            f"{path}: refused, it unpacks to {total:,} bytes, more than {limits.unpacked:,}"
        )


def _wrong_with(entry: zipfile.ZipInfo, limits: Limits) -> str:
    name = entry.orig_filename
    if "\0" in name or not name:
        return "has a name with a NUL character"
    if name.startswith(("/", "\\")) or "\\" in name or ":" in name or ".." in name.split("/"):
        return "has a path that leads out of the archive"
    if entry.flag_bits & 1:
        return "is encrypted"
    if entry.compress_type not in _STORED_OR_DEFLATED:
        return f"is packed by method {entry.compress_type}, not by deflate"
    if entry.file_size > max(_SMALL, limits.ratio * entry.compress_size):
        return f"unpacks from {entry.compress_size:,} to {entry.file_size:,} bytes"
    return ""
