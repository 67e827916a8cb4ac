"""The pickles inside PyTorch's files, read without executing anything.

Python's own unpickler calls any function that a pickle names. This interpreter knows the few operations that PyTorch
writes for weights and the few globals they name, builds plain tuples, lists, dicts and inert records of them, and
refuses every other operation or global by its name. Nothing is imported and nothing is called on behalf of the file.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Any, Final

from affinity_zoo.plugins.errors import AffinityZooError

#: name of a storage class -> NumPy's name of its numbers
STORAGES: Final = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}
_REBUILDERS: Final = frozenset({"_rebuild_tensor_v2", "_rebuild_parameter"})
_MOST_OPERATIONS: Final = 1_000_000
_CONSTANTS: Final[dict[str, Callable[[], Any]]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_TUPLE": tuple,
    "EMPTY_LIST": list,
    "EMPTY_DICT": dict,
}
_VALUES: Final = frozenset(
    {"BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE"}
)
_PUTS: Final = frozenset({"BINPUT", "LONG_BINPUT"})
_GETS: Final = frozenset({"BINGET", "LONG_BINGET"})


class UnsafePickle(AffinityZooError):
    """A pickle with content other than network weights."""


@dataclass(frozen=True)
class Global:
    """A name that a pickle refers to; never imported."""

    module: str
    name: str

    def __str__(self) -> str:
        return f"{self.module}.{self.name}"


@dataclass(eq=False)
class Record:
    """An object of a TorchScript class: its attributes, without the class."""

    kind: str
    attributes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Storage:
    """A storage: numbers elsewhere in the file."""

    dtype: str
    key: str
    numel: int


@dataclass(frozen=True)
class Tensor:
    """A view of a storage, in elements."""

    storage: Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Mark:
    """The start of a list of arguments on the stack."""


def read_pickle(file: IO[bytes]) -> Any:
    """Read one pickle from a file, up to its end mark.

    Args:
        file: open for reading bytes; positioned after the pickle when this returns.

    Returns:
        Tuples, lists, dicts, numbers, texts, :class:`Record`, :class:`Storage`, :class:`Tensor`.

    Raises:
        UnsafePickle: it names an operation or a global that weights do not need, or is damaged.
    """
    machine = _Machine()
    try:
        for count, (operation, argument, _) in enumerate(pickletools.genops(file)):
            if count > _MOST_OPERATIONS:
                raise UnsafePickle(f"it has more than {_MOST_OPERATIONS:,} operations")
            if operation.name == "STOP":
                return machine.result()
            machine.step(operation.name, argument)
    except UnsafePickle:
        raise
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, MemoryError, UnicodeError) as error:
        raise UnsafePickle(f"its pickle is damaged ({type(error).__name__}: {str(error)[:120]})") from error
    raise UnsafePickle("its pickle has no end")


class _Machine:
    """The stack and the memo of one pickle."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self.memo: dict[int, Any] = {}

    def result(self) -> Any:
        if len(self.stack) != 1:
            raise UnsafePickle("its pickle is damaged (it ends with values left over)")
        return self.stack[0]

    def step(self, name: str, argument: Any) -> None:
        """Execute one operation."""
        if name in _CONSTANTS:
            self.stack.append(_CONSTANTS[name]())
        elif name in _VALUES:
            self.stack.append(argument)
        elif name in _PUTS:
            self.memo[argument] = self.stack[-1]
        elif name in _GETS:
            self.stack.append(self.memo[argument])
        elif name in ("PROTO", "FRAME"):
            return
        else:
            method = _METHODS.get(name)
            if method is None:
                raise UnsafePickle(f"its pickle uses the operation {name}, which weights do not need")
            method(self, argument)

    def _pop_mark(self) -> list[Any]:
        for i in range(len(self.stack) - 1, -1, -1):
            if isinstance(self.stack[i], _Mark):
                values = self.stack[i + 1 :]
                del self.stack[i:]
                return values
        raise UnsafePickle("its pickle is damaged (a mark is missing)")

    def mark(self, _: Any) -> None:
        self.stack.append(_Mark())

    def memoize(self, _: Any) -> None:
        self.memo[len(self.memo)] = self.stack[-1]

    def name_global(self, argument: str) -> None:
        module, _, name = argument.partition(" ")
        self.stack.append(_known(module, name))

    def stack_global(self, _: Any) -> None:
        name, module = self.stack.pop(), self.stack.pop()
        self.stack.append(_known(module, name))

    def tuple_of_mark(self, _: Any) -> None:
        self.stack.append(tuple(self._pop_mark()))

    def tuple_of(self, number: int) -> None:
        values = self.stack[len(self.stack) - number :]
        if len(values) < number:
            raise UnsafePickle("its pickle is damaged (a tuple is too short)")
        del self.stack[len(self.stack) - number :]
        self.stack.append(tuple(values))

    def set_item(self, _: Any) -> None:
        value, key = self.stack.pop(), self.stack.pop()
        _set_items(self.stack[-1], [key, value])

    def set_items(self, _: Any) -> None:
        values = self._pop_mark()
        _set_items(self.stack[-1], values)

    def append(self, _: Any) -> None:
        value = self.stack.pop()
        _as(list, self.stack[-1]).append(value)

    def appends(self, _: Any) -> None:
        values = self._pop_mark()
        _as(list, self.stack[-1]).extend(values)

    def persistent_id(self, _: Any) -> None:
        self.stack.append(_storage(self.stack.pop()))

    def reduce(self, _: Any) -> None:
        arguments, called = self.stack.pop(), self.stack.pop()
        self.stack.append(_called(called, arguments))

    def new_object(self, _: Any) -> None:
        arguments, kind = self.stack.pop(), self.stack.pop()
        if not isinstance(kind, Global) or not _is_torch_script(kind.module) or arguments != ():
            raise UnsafePickle(f"its pickle makes an object of {kind}")
        self.stack.append(Record(str(kind)))

    def build(self, _: Any) -> None:
        state, target = self.stack.pop(), self.stack[-1]
        if isinstance(target, Record):
            target.attributes.update(_as(dict, state))
        elif not isinstance(target, dict) or not isinstance(state, dict):
            raise UnsafePickle(f"its pickle changes the attributes of a {type(target).__name__}")
        # attributes of a state dict (versions of layers) are of no use here


_METHODS: Final[dict[str, Callable[[_Machine, Any], None]]] = {
    "MARK": _Machine.mark,
    "MEMOIZE": _Machine.memoize,
    "GLOBAL": _Machine.name_global,
    "STACK_GLOBAL": _Machine.stack_global,
    "TUPLE": _Machine.tuple_of_mark,
    "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2),
    "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "SETITEM": _Machine.set_item,
    "SETITEMS": _Machine.set_items,
    "APPEND": _Machine.append,
    "APPENDS": _Machine.appends,
    "BINPERSID": _Machine.persistent_id,
    "REDUCE": _Machine.reduce,
    "NEWOBJ": _Machine.new_object,
    "BUILD": _Machine.build,
}


def _is_torch_script(module: str) -> bool:
    return module == "__torch__" or module.startswith("__torch__.")


def _known(module: Any, name: Any) -> Global:
    found = Global(_as(str, module), _as(str, name))
    harmless = (
        (module == "collections" and name == "OrderedDict")
        or (module == "torch._utils" and name in _REBUILDERS)
        or (module == "torch" and name in STORAGES)
        or _is_torch_script(module)
    )
    if not harmless:
        raise UnsafePickle(f"its pickle names {str(found)[:120]}, which is not needed for weights")
    return found


def _called(called: Any, arguments: Any) -> Any:
    values = _as(tuple, arguments)
    name = str(called) if isinstance(called, Global) else type(called).__name__
    if name == "collections.OrderedDict" and not values:
        return {}
    if name == "torch._utils._rebuild_tensor_v2" and len(values) in (6, 7):
        storage, offset, shape, strides = values[:4]
        if not isinstance(storage, Storage):
            raise UnsafePickle("its pickle makes a tensor of something other than a storage")
        return Tensor(storage, _size(offset), _sizes(shape), _sizes(strides))
    if name == "torch._utils._rebuild_parameter" and values and isinstance(values[0], Tensor):
        return values[0]
    raise UnsafePickle(
        f"its pickle calls {name} with {len(values)} arguments, which is not needed for weights"
    )


def _storage(value: Any) -> Storage:
    parts = _as(tuple, value)
    if len(parts) not in (5, 6) or parts[0] != "storage" or not isinstance(parts[1], Global):
        raise UnsafePickle("its pickle refers to something other than a storage")
    if parts[1].module != "torch" or (len(parts) == 6 and parts[5] is not None):
        raise UnsafePickle(f"its pickle refers to a storage of {parts[1]}")
    return Storage(STORAGES[parts[1].name], _as(str, parts[2]), _size(parts[4]))


def _set_items(target: Any, values: list[Any]) -> None:
    mapping = _as(dict, target)
    if len(values) % 2:
        raise UnsafePickle("its pickle is damaged (a key without a value)")
    for key, value in zip(values[::2], values[1::2], strict=True):
        if not isinstance(key, str | int):
            raise UnsafePickle(f"its pickle has a key of type {type(key).__name__}")
        mapping[key] = value


def _size(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 2**40:
        raise UnsafePickle("its pickle has a tensor whose shape is not a whole number in range")
    return value


def _sizes(value: Any) -> tuple[int, ...]:
    sizes = tuple(_size(one) for one in _as(tuple, value))
    if len(sizes) > 16:
        raise UnsafePickle("its pickle has a tensor of more than 16 dimensions")
    return sizes


def _as(kind: type, value: Any) -> Any:
    if not isinstance(value, kind):
        raise UnsafePickle(f"its pickle has a {type(value).__name__} instead of a {kind.__name__}")
    return value
