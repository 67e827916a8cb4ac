"""PyTorch's files written by hand, byte by byte, so that tests need no PyTorch and can write what it would not."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np

_STORAGE = {"<f4": "FloatStorage", "<f8": "DoubleStorage", "<i8": "LongStorage", "<f2": "HalfStorage"}


def text(value: str) -> bytes:
    """Opcode of a text."""
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def number(value: int) -> bytes:
    """Opcode of a whole number."""
    data = value.to_bytes(max(1, (value.bit_length() + 8) // 8), "little", signed=True)
    return b"\x8a" + bytes([len(data)]) + data


def name(module: str, attribute: str) -> bytes:
    """Opcode of a global."""
    return f"c{module}\n{attribute}\n".encode()


def numbers(*values: int) -> bytes:
    """Opcodes of a tuple of whole numbers."""
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(
    key: str,
    shape: tuple[int, ...],
    strides: tuple[int, ...],
    numel: int,
    offset: int = 0,
    kind: str = "FloatStorage",
    legacy: bool = False,
) -> bytes:
    """Opcodes of a tensor on the storage ``key``."""
    view = b"N" if legacy else b""
    storage = (
        b"(" + text("storage") + name("torch", kind) + text(key) + text("cpu") + number(numel) + view + b"tQ"
    )
    hooks = name("collections", "OrderedDict") + b")R"
    inner = storage + number(offset) + numbers(*shape) + numbers(*strides) + b"\x89" + hooks
    return name("torch._utils", "_rebuild_tensor_v2") + b"(" + inner + b"tR"


def state_dict(tensors: Mapping[str, bytes]) -> bytes:
    """A pickle of a state dict."""
    items = b"".join(text(key) + value for key, value in tensors.items())
    return b"\x80\x02" + name("collections", "OrderedDict") + b")R(" + items + b"u."


def whole(array: np.ndarray, key: str, legacy: bool = False) -> bytes:
    """Opcodes of a contiguous tensor that fills its storage."""
    strides = tuple(step // array.itemsize for step in array.strides)
    return tensor(key, array.shape, strides, array.size, kind=_STORAGE[array.dtype.str], legacy=legacy)


def write_zip(
    path: Path, pickle: bytes, storages: Mapping[str, bytes] = {}, extra: Mapping[str, bytes] = {}
) -> Path:
    """Write an archive as ``torch.save`` does, around any pickle."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("model/data.pkl", pickle)
        archive.writestr("model/version", b"3\n")
        for key, data in storages.items():
            archive.writestr(f"model/data/{key}", data)
        for key, data in extra.items():
            archive.writestr(f"model/{key}", data)
    return path


def write_legacy(path: Path, pickle: bytes, storages: Mapping[str, np.ndarray]) -> Path:
    """Write the format before archives, around any pickle."""
    file = io.BytesIO()
    file.write(b"\x80\x02" + number(0x1950A86A20F9469CFC6C) + b".")
    file.write(b"\x80\x02" + number(1001) + b".")
    file.write(b"\x80\x02}(" + text("little_endian") + b"\x88u.")
    file.write(pickle)
    file.write(b"\x80\x02](" + b"".join(text(key) for key in storages) + b"e.")
    for array in storages.values():
        file.write(struct.pack("<q", array.size) + array.tobytes())
    path.write_bytes(file.getvalue())
    return path
