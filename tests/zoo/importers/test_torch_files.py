"""PyTorch's files without PyTorch: what is read, what PyTorch itself reads, and what hostile files come to."""

from __future__ import annotations

import importlib.util
import os
import pickle
import struct
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from affinity_zoo.plugins.errors import AffinityZooError
from affinity_zoo.zoo.importers.torch_files import read_torch_file

GNINA = Path(__file__).resolve().parents[4] / "shared" / "gnina"
_spec = importlib.util.spec_from_file_location("torch_making", Path(__file__).with_name("torch_making.py"))
assert _spec and _spec.loader
making = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(making)

arrays = st.dictionaries(
    st.text("abc_0", min_size=1, max_size=8),
    hnp.arrays(st.sampled_from(["<f4", "<f8", "<i8", "<f2"]), hnp.array_shapes(max_dims=5, max_side=4)),
    max_size=5,
)


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(arrays, st.booleans())
def test_what_is_written_is_read(tmp_path: Path, state: dict[str, np.ndarray], legacy: bool) -> None:
    keyed = {str(i): (name, array) for i, (name, array) in enumerate(state.items())}
    pickled = making.state_dict({name: making.whole(a, key, legacy) for key, (name, a) in keyed.items()})
    path = tmp_path / "x.pt"
    if legacy:
        making.write_legacy(path, pickled, {key: array for key, (_, array) in keyed.items()})
    else:
        making.write_zip(path, pickled, {key: array.tobytes() for key, (_, array) in keyed.items()})
    read = read_torch_file(path).tensors
    assert list(read) == list(state)
    for name, array in state.items():
        np.testing.assert_array_equal(read[name], array)
        assert read[name].dtype == array.dtype


def test_transposed_and_shared_storages(tmp_path: Path) -> None:
    data = np.arange(12, dtype="<f4")
    pickled = making.state_dict(
        {
            "turned": making.tensor("0", (4, 3), (1, 4), 12),
            "part": making.tensor("0", (2, 2), (4, 1), 12, offset=5),
        }
    )
    read = read_torch_file(making.write_zip(tmp_path / "x.pt", pickled, {"0": data.tobytes()})).tensors
    np.testing.assert_array_equal(read["turned"], data.reshape(3, 4).T)
    np.testing.assert_array_equal(read["part"], data.reshape(3, 4)[1:, 1:3])


def test_torchscript_modules_become_dotted_names_and_their_code_stays_closed(tmp_path: Path) -> None:
    """Objects of TorchScript classes nest; ``code/`` holds text that no Python could read."""
    inner = making.name("__torch__.net", "Conv") + b")\x81}(" + making.text("weight")
    inner += making.tensor("0", (2,), (1,), 2) + making.text("training") + b"\x89ub"
    pickled = (
        b"\x80\x02" + making.name("__torch__.net", "Net") + b")\x81}(" + making.text("conv") + inner + b"ub."
    )
    data = np.array([1.5, -2.0], "<f4").tobytes()
    extra = {"code/__torch__.py": b"import os; os.abort(", "extra/metadata": b'{"resolution": 0.5}'}
    read = read_torch_file(making.write_zip(tmp_path / "x.pt", pickled, {"0": data}, extra))
    np.testing.assert_array_equal(read.tensors["conv.weight"], [1.5, -2.0])
    assert read.extra == {"metadata": '{"resolution": 0.5}'}


@pytest.mark.shared
@pytest.mark.parametrize("path", sorted(GNINA.glob("*.pt")), ids=lambda path: path.stem)
def test_equals_pytorchs_own_reading(path: Path) -> None:
    torch = pytest.importorskip("torch", reason="compares with PyTorch, which is not installed")
    read = read_torch_file(path).tensors
    try:
        wanted = torch.load(path, weights_only=True, map_location="cpu")
    except RuntimeError:  # a TorchScript archive
        wanted = torch.jit.load(path, map_location="cpu").state_dict()
    assert set(read) == set(wanted)
    for name, value in wanted.items():
        np.testing.assert_array_equal(read[name], value.numpy(), strict=True)


class _Reduced:
    """An object whose pickle calls something."""

    def __init__(self, *call: object) -> None:
        self.call = call

    def __reduce__(self) -> tuple:
        return self.call[0], tuple(self.call[1:])


def _pickled(*call: object, protocol: int = 2) -> bytes:
    return pickle.dumps(_Reduced(*call), protocol)


_t, _n, _one = making.text, making.name, making.tensor("0", (2,), (1,), 2)
_deep = b"\x80\x02" + b"".join(b"}" + _t("a") for _ in range(3000)) + _one + b"s" * 3000 + b"."
_laugh = b"\x80\x02}" + b"".join(
    b"q%c}(" % i + _t("a") + b"h%c" % i + _t("b") + b"h%c" % i + b"u" for i in range(60)
)
HOSTILE = {
    "system": _pickled(os.system, "touch HERE"),
    "eval": _pickled(eval, "1"),
    "getattr": _pickled(getattr, "x", "y"),
    "protocol 4": _pickled(os.system, "touch HERE", protocol=4),
    "protocol 0 instance": b"(S'touch HERE'\nios\nsystem\n.",
    "object of a function": b"(" + _n("os", "system") + b"S'touch HERE'\no.",
    "new object with keywords": b"\x80\x04" + _n("collections", "OrderedDict") + b")}\x92.",
    "new object of a known name": b"\x80\x02" + _n("collections", "OrderedDict") + b")\x81.",
    "extension registry": b"\x80\x02\x82\x01.",
    "numpy object": pickle.dumps(np.zeros(3)),
    "whole module": b"\x80\x02" + _n("torch.nn.modules.conv", "Conv3d") + b")\x81}b.",
    "dotted attribute": b"\x80\x04" + _t("collections") + _t("OrderedDict.fromkeys") + b"\x93" + b")R.",
    "attributes of a function": b"\x80\x02" + _n("torch._utils", "_rebuild_tensor_v2") + b"}b.",
    "attributes of a class": b"\x80\x02" + _n("collections", "OrderedDict") + b"N}" + _t("a") + b"Ns\x86b.",
    "call of a record": b"\x80\x02" + _n("__torch__.os", "system") + _t("touch HERE") + b"\x85R.",
    "tensor of no storage": b"\x80\x02" + _n("torch._utils", "_rebuild_tensor_v2") + b"(NNNNNNtR.",
    "another persistent id": b"\x80\x02" + _t("module") + b"Q.",
    "storage outside": making.state_dict({"a": making.tensor("../../secret", (2,), (1,), 2)}),
    "beyond its storage": making.state_dict({"a": making.tensor("0", (3,), (1,), 2)}),
    "offset beyond": making.state_dict({"a": making.tensor("0", (2,), (1,), 2, offset=1)}),
    "negative offset": making.state_dict({"a": making.tensor("0", (2,), (1,), 2, offset=-8)}),
    "negative stride": making.state_dict({"a": making.tensor("0", (2,), (-1,), 2)}),
    "terabytes by stride 0": making.state_dict({"a": making.tensor("0", (2**20, 2**20), (0, 0), 2)}),
    "large storage": making.state_dict({"a": making.tensor("0", (2**38,), (1,), 2**38)}),
    "text of 2^62 bytes": b"\x80\x04\x8d" + struct.pack("<Q", 2**62) + b"a.",
    "number of 2^31 bytes": b"\x80\x02\x8b" + struct.pack("<i", 2**31 - 1) + b"a.",
    "deep": _deep,
    "billion laughs": _laugh + b".",
    "contains itself": b"\x80\x02}q\x00" + _t("a") + b"h\x00s.",
    "key that is a list": b"\x80\x02}(]Nu.",
    "stack underflow": b"\x80\x02R.",
    "missing memo": b"\x80\x02h\x07.",
    "without end": b"\x80\x02}",
    "no pickle": b"\xff" * 50,
    "empty": b"",
}

#: what the message must name: the global or the operation
NAMED = {
    "system": r"names (posix|nt)\.system",
    "eval": r"names \w+\.eval",
    "protocol 4": r"names (posix|nt)\.system|uses the operation",
    "protocol 0 instance": "operation",
    "object of a function": r"names os\.system",
    "extension registry": "operation EXT1",
    "numpy object": "names numpy",
    "whole module": r"names torch\.nn\.modules\.conv\.Conv3d",
    "dotted attribute": r"names collections\.OrderedDict\.fromkeys|operation",
    "new object of a known name": r"object of collections\.OrderedDict",
}


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.parametrize("legacy", [False, True], ids=["archive", "legacy"])
def test_hostile_pickles_are_refused(kind: str, legacy: bool, tmp_path: Path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.chdir(tmp_path)
    data = np.zeros(2, "<f4")
    path = tmp_path / "x.pt"
    pickled = HOSTILE[kind]
    if legacy:
        making.write_legacy(path, pickled, {"0": data})
    else:
        making.write_zip(path, pickled, {"0": data.tobytes()})
    modules = set(sys.modules)
    with pytest.raises(AffinityZooError, match=NAMED.get(kind, r"x\.pt: .+")):
        read_torch_file(path)
    assert not (tmp_path / "HERE").exists()
    assert not {name for name in set(sys.modules) - modules if name.startswith("torch")}


def _archive(path: Path, members: dict[str, bytes], **options: int) -> Path:
    with zipfile.ZipFile(path, "w", **options) as archive:  # type: ignore[arg-type]
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("members", "options", "said"),
    [
        (
            {"m/data.pkl": b".", "m/data/0": bytes(50 << 20)},
            {"compression": zipfile.ZIP_DEFLATED},
            "unpacks from",
        ),
        ({f"m/data/{i}": b"" for i in range(10_001)}, {}, "10,001 members"),
        ({"m/data.pkl": b".", "m/data/../../x": b""}, {}, "out of the archive"),
        ({"m/data.pkl": b"."}, {"compression": zipfile.ZIP_LZMA}, "method 14"),
        ({"m/other": b"."}, {}, "without the one data.pkl"),
        ({"m/data.pkl": b".", "n/data.pkl": b"."}, {}, "without the one data.pkl"),
    ],
    ids=["bomb", "many members", "path outside", "other packing", "no pickle", "two pickles"],
)
def test_hostile_archives_are_refused(
    tmp_path: Path, members: dict[str, bytes], options: dict[str, int], said: str
) -> None:
    with pytest.raises(AffinityZooError, match=said):
        read_torch_file(_archive(tmp_path / "x.pt", members, **options))


def test_cut_archives_and_changed_bytes_are_refused_or_read_whole(tmp_path: Path) -> None:
    state = {"a": np.arange(6, dtype="<f4").reshape(2, 3)}
    pickled = making.state_dict({"a": making.whole(state["a"], "0")})
    good = making.write_zip(tmp_path / "good.pt", pickled, {"0": state["a"].tobytes()}).read_bytes()
    bad = tmp_path / "bad.pt"
    rng = np.random.default_rng(0)
    for _ in range(300):
        data = bytearray(good)
        for at in rng.integers(0, len(data), 2):
            data[at] ^= 1 << int(rng.integers(8))
        bad.write_bytes(
            bytes(data[: int(rng.integers(len(data) // 2, len(data)))] if rng.random() < 0.3 else data)
        )
        try:
            read = read_torch_file(bad).tensors
        except AffinityZooError:
            continue
        assert all(isinstance(array, np.ndarray) for array in read.values())
