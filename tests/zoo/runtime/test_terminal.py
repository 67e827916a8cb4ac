"""What is printed is what was given: brackets and colons of names are neither styles nor pictures."""

from __future__ import annotations

import pytest

from affinity_zoo.zoo.runtime import terminal

NAMES = ("c1cc[nH]c1", "7pbl:A:B:ADP", "a [red] name", "[/no] style", "Å ≤ 2")


def test_names_are_printed_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    for name in NAMES:
        terminal.say(f"file {name} read")
        terminal.warn(f"file {name} not read")
    printed = capsys.readouterr()
    assert printed.out.splitlines() == [f"file {name} read" for name in NAMES]
    assert printed.err.splitlines() == [f"warning: file {name} not read" for name in NAMES]


def test_tables_show_names_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.table("poses of [A]", ("pose [Å]", "score"), [(name, 1.5) for name in NAMES])
    out = capsys.readouterr().out
    assert all(name in out for name in (*NAMES, "poses of [A]", "pose [Å]"))


def test_output_of_a_pipe_is_not_broken_at_80_columns(capsys: pytest.CaptureFixture[str]) -> None:
    terminal.say("x" * 300)
    terminal.table("", ("id",), [("y" * 120,)])
    out = capsys.readouterr().out
    assert "x" * 300 in out and "y" * 120 in out


def test_progress_in_a_log_file_is_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(terminal.time, "monotonic", lambda: float(next(clock)))
    with terminal.progress("reading", 100, "poses") as advance:
        for _ in range(7):
            advance(10)
    lines = capsys.readouterr().err.splitlines()
    assert lines == [
        "reading: 30 of 100 poses, 1.0 poses/s, 1 min left",
        "reading: 60 of 100 poses, 1.0 poses/s, 1 min left",
    ]


def test_progress_is_silent_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with terminal.progress("work [a]", 10, "images") as advance:
        advance(10)
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err == ""
