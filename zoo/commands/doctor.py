"""Command: doctor."""

from __future__ import annotations

from typing import Any

import typer

from affinity_zoo.zoo.commands import options


def register(app: typer.Typer) -> None:
    """Add this family's commands to the app."""
    app.command(rich_help_panel=options.START)(doctor)


def doctor(json_output: options.Json = False) -> None:
    """Show versions, device, folders, plugins and test scores, for a bug report.

    Example: affinity-zoo doctor --json
    """
    from affinity_zoo.zoo.models.home import BESIDE, models_home
    from affinity_zoo.zoo.runtime import installation, terminal

    report: dict[str, Any] = {
        "versions": installation.versions(),
        "settings": installation.settings(),
        "folders": {
            "downloaded models": str(models_home()),
            "models beside the work": str(BESIDE.resolve()),
        },
        "extras": installation.extras(),
        "plugins": _plugins(),
        "keras": _keras(),
    }
    report["reference"] = _reference() if "error" not in report["keras"] else []
    fine = "error" not in report["keras"] and all(one["ok"] for one in report["reference"])
    if json_output:
        terminal.print_json(report)
    else:
        _show(report, fine)
    raise typer.Exit(0 if fine else 1)


def _plugins() -> list[dict[str, str]]:
    from affinity_zoo.zoo.catalog import describe
    from affinity_zoo.zoo.catalog.registry import catalog

    states = [describe.plugin_state(plugin) for plugin in catalog().plugins()]
    return [
        {
            "name": state["name"],
            "from": f"{state['distribution']} {state['version']}",
            "state": state["state"],
            "reason": state["reason"],
        }
        for state in states
    ]


def _keras() -> dict[str, str]:
    from affinity_zoo.zoo.runtime.keras import start_keras

    try:
        start_keras()
        import keras

        from affinity_zoo.zoo.runtime.device import find_device

        return {"backend": keras.config.backend(), "device": find_device().description}
    except Exception as error:  # any error of the backend is part of the report
        return {"error": f"{type(error).__name__}: {error}"}


def _reference() -> list[dict[str, Any]]:
    """Score the reference complex of every shipped model."""
    from affinity_zoo.zoo import shipped
    from affinity_zoo.zoo.inference.reference import check_reference
    from affinity_zoo.zoo.judging.outputs import outputs_of
    from affinity_zoo.zoo.models.loading import load_model

    rows: list[dict[str, Any]] = []
    for name in shipped.names():
        model = load_model(shipped.FOLDER / name)
        for one in check_reference(
            shipped.FOLDER / name, model.network, model.featurizer, model.box, outputs_of(model.card)
        ):
            rows.append(
                {"model": name, "output": one.output, "from": one.way, "expected": one.expected, "found": one.found,
                 "ok": one.ok}
            )  # fmt: skip
    return rows


def _show(report: dict[str, Any], fine: bool) -> None:
    from affinity_zoo.zoo.runtime import terminal

    rows = [*report["versions"].items(), *report["keras"].items(), *report["folders"].items()]
    rows += [(f"${name}", value) for name, value in report["settings"].items()]
    for extra, missing in report["extras"].items():
        rows.append((f"extra {extra}", f"not installed: {', '.join(missing)}" if missing else "installed"))
    terminal.table("installation", ("what", "value"), rows)
    bad = [p for p in report["plugins"] if p["state"] != "loaded"]
    others = [p for p in report["plugins"] if not p["from"].startswith("affinity-zoo ")]
    plugins = [(p["name"], p["from"], p["state"], p["reason"]) for p in others]
    terminal.table(
        "plugins", ("plugin", "from", "state", "reason"), plugins or [("none installed", "", "", "")]
    )
    scores = [
        (r["model"], r["output"], r["from"], r["expected"], r["found"], "" if r["ok"] else "DIFFERS")
        for r in report["reference"]
    ]
    terminal.table("reference pose", ("model", "output", "from", "expected", "found", ""), scores)
    if bad:
        terminal.warn(f"{', '.join(p['name'] for p in bad)} cannot be used: see `affinity-zoo plugins list`")
    terminal.say("no problem found" if fine else "a problem was found: see the tables")
