"""Conformance checks: each check is a plain function; all are run and reported."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from affinity_zoo.plugins.discovery import HEAVY
from affinity_zoo.plugins.kinds import KINDS, InvalidClass, check_class, declared_version
from affinity_zoo.plugins.options import REQUIRED, as_text, convert, create, option_help, options_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

State = Literal["passed", "failed", "skipped"]


class Skip(Exception):
    """This check does not apply; the message says why."""


class ConformanceError(AssertionError):
    """A plugin class breaks its contract; the message lists every check that failed."""

    def __init__(self, report: Report) -> None:
        super().__init__(report.text())
        self.report = report


@dataclass(frozen=True)
class CheckResult:
    """Result of one check."""

    check: str  #: the requirement, a sentence
    state: State
    message: str = ""


@dataclass(frozen=True)
class Report:
    """Results of all checks of one class."""

    kind: str
    name: str
    results: list[CheckResult] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether all checks passed."""
        return all(result.state != "failed" for result in self.results)

    def text(self) -> str:
        """The failures, one per line."""
        failed = [f"- {r.check}: {r.message}" for r in self.results if r.state == "failed"]
        count = f"{len(failed)} of {len(self.results)} checks failed" if failed else "all checks passed"
        return "\n".join([f"{self.kind} {self.name!r}: {count}", *failed])


def run(kind: str, name: str, checks: Sequence[Callable[[Any], None]], subject: Any) -> Report:
    """Run every check on a subject; a check fails by raising anything but :class:`Skip`.

    Args:
        kind: ``featurizer``, ``architecture``, ``scorer`` or ``baseline``.
        name: Name of the class under test.
        checks: Functions that take the subject; a docstring states the requirement.
        subject: Object that is passed to each check.
    """
    report = Report(kind, name)
    for check in checks:
        sentence = (check.__doc__ or check.__name__).strip().splitlines()[0].rstrip(".")
        state: State = "passed"
        message = ""
        try:
            check(subject)
        except Skip as skip:
            state, message = "skipped", str(skip)
        except AssertionError as error:
            state, message = "failed", str(error) or "no message"
        except Exception as error:
            state, message = "failed", f"{type(error).__name__}: {' '.join(str(error).split())[:400]}"
        report.results.append(CheckResult(sentence, state, message))
    return report


def finish(report: Report) -> Report:
    """Return the report, or raise :class:`ConformanceError` with all that failed.

    Args:
        report: Results of the checks so far.
    """
    if not report.ok:
        raise ConformanceError(report)
    return report


def require(condition: object, message: str) -> None:
    """Fail with a message unless the condition holds.

    Args:
        condition: Condition that must hold.
        message: Sentence that the author of the plugin reads where the check fails.
    """
    if not condition:
        raise AssertionError(message)


def instance_of(kind: str, subject: Any, options: dict[str, object]) -> Any:
    """Return an instance: the subject itself, or made from its class and options.

    Args:
        kind: ``featurizer``, ``architecture``, ``scorer`` or ``baseline``.
        subject: Class or instance.
        options: Options of the class, by name.
    """
    if isinstance(subject, type):
        return create(subject, options, f"{kind} {getattr(subject, 'name', subject.__name__)!r}")
    return subject


def same(a: NDArray[Any], b: NDArray[Any], tolerance: float, what: str, outliers: float = 0.0) -> None:
    """Require two arrays to agree.

    Args:
        tolerance: largest difference, relative to the largest absolute value of ``a``.
        outliers: share of entries that may differ, for a step function's borders.
    """
    import numpy as np

    require(a.shape == b.shape, f"{what}: shapes {a.shape} and {b.shape} differ")
    if not a.size:
        return
    scale = max(1e-30, float(np.max(np.abs(a))))
    off = np.abs(a.astype(np.float64) - b.astype(np.float64)) > tolerance * scale
    share = float(off.mean())
    worst = float(np.max(np.abs(a.astype(np.float64) - b.astype(np.float64)))) if share else 0.0
    require(share <= outliers, f"{what}: {share:.2%} of the values differ, by up to {worst:.3g}")


# --- checks of every kind; the subject has ``kind``, ``cls`` and ``instance`` -------------------


def contract_is_met(subject: Any) -> None:
    """Name, summary, class attributes and options fit the contract."""
    try:
        check_class(KINDS[subject.kind], subject.cls)
    except InvalidClass as error:
        raise AssertionError(f"{error} ({error.remedy})") from error


def version_is_stated(subject: Any) -> None:
    """The class states the api_version it was written for."""
    if subject.cls.__module__.startswith("affinity_zoo."):
        raise Skip("a built-in has the version of its host")
    own = [base for base in subject.cls.__mro__ if "api_version" in vars(base)]
    stated = bool(own) and own[0].__module__ != "affinity_zoo.plugins.contracts"
    require(stated, f"write `api_version = {declared_version(subject.cls)}` into the class")


def options_are_documented(subject: Any) -> None:
    """Every option has a sentence of help and a default."""
    sentences = option_help(subject.cls)
    for option in options_of(subject.cls):
        require(option.default is not REQUIRED, f"option {option.name!r} has no default")
        require(
            sentences.get(option.name),
            f"option {option.name!r} has no help: use field(metadata={{'help': ...}}), `#:` or the docstring",
        )


def options_survive_a_recipe(subject: Any) -> None:
    """Options come back the same from text, from JSON and from TOML values."""
    values = subject.instance.options()
    for option in options_of(subject.cls):
        value = values[option.name]
        back = convert(as_text(value), option.type)
        require(back == value, f"option {option.name!r}: {value!r} comes back from text as {back!r}")
    again = create(subject.cls, json.loads(json.dumps(values)), "it")
    require(again.options() == values, f"{values} come back from a recipe as {again.options()}")


def import_is_light(subject: Any) -> None:
    """Importing its module imports nothing heavy (keras, numpy, chemistry)."""
    module = subject.cls.__module__
    if module == "__main__" or not _importable(module):
        raise Skip(f"{module} is not importable by name in another process")
    code = f"import sys; sys.path[:] = {sys.path!r}; import {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=False
    )
    require(done.returncode == 0, f"it cannot be imported alone: {done.stderr.strip().splitlines()[-1:]}")
    heavy = sorted(set(HEAVY) & set(done.stdout.split()))
    require(not heavy, f"it imports {', '.join(heavy)}: import them inside the methods that use them")


SHARED: tuple[Callable[[Any], None], ...] = (
    contract_is_met,
    version_is_stated,
    options_are_documented,
    options_survive_a_recipe,
    import_is_light,
)


def fingerprint(arrays: Iterable[NDArray[np.generic]]) -> list[bytes]:
    """Return the bytes of arrays, to detect changes.

    Args:
        arrays: Arrays to compare later.
    """
    return [array.tobytes() for array in arrays]


def _importable(module: str) -> bool:
    try:
        spec = importlib.util.find_spec(module)
    except (ImportError, ValueError, AttributeError):
        return False
    # a single-file plugin has a name in this process only
    single_file = module.startswith("affinity_zoo_plugin_file_")
    return spec is not None and spec.origin is not None and not single_file
