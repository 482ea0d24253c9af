"""The study's table as Markdown and JSON, and its page."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import cycle
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from markupsafe import Markup

from studies.freeze.conclusion import conclusion
from studies.freeze.figures import Curve, ModelFigures, Row, figures, missing_models, read_runs
from studies.freeze.params import StudyParams
from tasks.dataset.coco_json import read_coco
from tasks.ground.files import read_json, replacing, write_json
from tasks.ground.text import printable
from tasks.report_page.curves import STYLE, new_figure, svg_of
from tasks.report_page.page import render

# Of Okabe and Ito's palette, which colour-blind readers can tell apart.
_COLOURS = ("#0072B2", "#56B4E9", "#E69F00", "#009E73", "#D55E00", "#CC79A7")
_WINDOW = 10
_HEAD = (
    "| arm | frozen variables | largest change | step, s | without cache, s | times as fast | start-up, s | mAP | "
    "95 % interval | against the first | mAP at equal time |"
)


def write_page(study: StudyParams, photos: Path, results: Path, timing: Path, out: Path) -> str:
    """Write table.json and table.md beside each other, and the page `out`; returns the table.

    A model of which no run is there is left out, and told of: its runs can take hours.

    Raises:
        PipelineError: there are no runs, some of a model's are missing, or one cannot be read.
    """
    test = read_coco(photos / "splits" / "test.json")
    absent = missing_models(results, study)
    models = [model for model in study.models if model not in absent]
    uncached = {model: _uncached(timing, model, study) for model in models}
    found = [
        figures(model, study.arms, read_runs(results, model, study.arms, study.seeds, test), uncached[model])
        for model in models
    ]
    told = [_not_run(study, absent)] if absent else []
    told += [_mixed(one.model, study) for one in found if len(_versions(one, uncached[one.model])) > 1]
    text = "\n".join([*(line for one in found for line in _markdown(one, study)), *told]) + "\n"
    Path("table.md").write_text(text, encoding="utf-8")
    write_json(Path("table.json"), {one.model: {row.arm: _plain(row) for row in one.rows} for one in found})
    content = {
        "images": len(test.images),
        "seeds": len(study.seeds),
        "told": told,
        "models": [_shown(one, study) for one in found],
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as beside:
        beside.write_text(render(content, printable, "page.html.j2", Path(__file__).parent), encoding="utf-8")
    return text


def _not_run(study: StudyParams, absent: Sequence[str]) -> str:
    return f"Not run yet: {', '.join(study.models[model].name for model in absent)}."


def _versions(found: ModelFigures, uncached: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Of the code and the weights of a model's runs: arms are compared within a model only."""
    runs = (run.noted for own in found.runs.values() for run in own)
    return {noted["code"] for noted in (*runs, *uncached.values())}


def _mixed(model: str, study: StudyParams) -> str:
    name = study.models[model].name
    return f"{name}: runs of different versions of the code, the params and the weights are mixed here."


def _uncached(timing: Path, model: str, study: StudyParams) -> dict[str, dict[str, Any]]:
    files = {arm: timing / f"{model}-{arm}.json" for arm in study.arms}
    return {arm: read_json(path, "what the stage timing writes") for arm, path in files.items() if path.is_file()}


def _markdown(found: ModelFigures, study: StudyParams) -> list[str]:
    return [
        f"**{study.models[found.model].name}**, {_length(found.model, study)}, {len(study.seeds)} seeds",
        "",
        _HEAD,
        "|---|" + "---:|" * 10,
        *(_line(row) for row in found.rows),
        "",
        *conclusion(found),
        "",
    ]


def _length(model: str, study: StudyParams) -> str:
    """How long its runs are, and what else they say differently from those of other models."""
    others = [f"{key} {value}" for key, value in _flat(study.models[model].train) if key != "steps"]
    steps = f"{study.training(model)['steps']} steps"
    return f"{steps} ({', '.join(others)})" if others else steps


def _start(model: str, study: StudyParams) -> str:
    """What its runs start from."""
    scenes = study.scenes
    if study.models[model].start == "base":
        return "the project's base"
    return f"{scenes.source.name}, then {scenes.steps} steps on generated scenes at {scenes.side_px} px"


def _flat(params: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for key, value in params.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{inner}", content) for inner, content in _flat(value))
        else:
            yield key, value


def _line(row: Row) -> str:
    cells = _cells(row)
    return "| " + " | ".join(str(cells[key]) for key in _COLUMNS) + " |"


_COLUMNS = ("arm", "frozen", "change", "step", "uncached", "times", "startup", "mAP", "interval", "apart", "later")


def _cells(row: Row) -> dict[str, Any]:
    between = row.interval
    apart = row.apart
    return {
        "arm": row.arm,
        "frozen": row.frozen,
        "change": f"{row.max_change:g}",
        "step": f"{row.step_s:.3f} ({row.step_range[0]:.3f} to {row.step_range[1]:.3f})",
        "uncached": "" if row.uncached_s is None else f"{row.uncached_s:.3f} ({row.alone:.2f} times as fast)",
        "times": f"{row.times[0]:.2f} ({row.times[1]:.2f} to {row.times[2]:.2f})",
        "startup": f"{row.startup_s:.0f}",
        "mAP": f"{row.mean_ap:.3f} ± {row.spread:.3f}",
        "interval": "" if between is None else f"{between.low:.3f} to {between.high:.3f}",
        "apart": "" if apart is None or not row.frozen else f"{row.verdict} ({apart.low:+.3f} to {apart.high:+.3f})",
        "later": f"{row.equal_time:.3f} ± {row.equal_time_spread:.3f}",
    }


def _plain(row: Row) -> dict[str, float | int | None]:
    kept = asdict(row)
    ends = {f"mAP_{end}": row.interval and getattr(row.interval, end) for end in ("low", "high")}
    names = ("frozen", "max_change", "startup_s", "step_s", "uncached_s", "alone", "equal_time")
    return {**{name: kept[name] for name in names}, "times": row.times[0], "mAP": row.mean_ap, **ends}


def _shown(found: ModelFigures, study: StudyParams) -> dict[str, Any]:
    model, runs = found.model, found.runs
    ranked = sorted(found.rows, key=lambda row: row.mean_ap)
    best, worst = ranked[-1].arm, ranked[0].arm
    colours = dict(zip(study.arms, cycle(_COLOURS), strict=False))
    losses = {arm: [_smooth(run.noted["curves"]["train/loss"]) for run in own] for arm, own in runs.items()}
    over_time = {arm: [_smooth(run.over_time("train/loss")) for run in own] for arm, own in runs.items()}
    scores = {arm: [run.over_time("val/mAP") for run in own] for arm, own in runs.items()}
    pictures = (
        ("Training loss against step", losses, "step"),
        ("Training loss against time", over_time, "seconds"),
        ("Validation mAP against time", scores, "seconds"),
        (f"Best ({best}) against worst ({worst}) test mAP: loss", {arm: losses[arm] for arm in (best, worst)}, "step"),
    )
    return {
        "name": study.models[model].name,
        "start": _start(model, study),
        "length": _length(model, study),
        "seconds": found.seconds,
        "rows": [_cells(row) for row in found.rows],
        "conclusion": conclusion(found),
        "legend": list(colours.items()),
        "pictures": [
            (title, _lines(lines, colours, f"{model}-{place}", title, axis))
            for place, (title, lines, axis) in enumerate(pictures)
        ],
    }


def _lines(arms: dict[str, list[Curve]], colours: dict[str, str], name: str, title: str, axis: str) -> Markup:
    """Every seed faintly, and their mean."""
    with mpl.rc_context(STYLE):
        figure, axes = new_figure()
        for arm, curves in arms.items():
            for curve in curves:
                axes.plot(*np.array(curve).T, color=colours[arm], linewidth=0.8, alpha=0.35)
            axes.plot(*_mean(curves), color=colours[arm], linewidth=2)
        axes.set_xlabel(axis)
        axes.set_ylim(bottom=0)
        return svg_of(figure, name, title)


def _mean(curves: Sequence[Curve]) -> tuple[Any, Any]:
    """Place by place: seeds validate at the same steps, though not after equally many seconds."""
    points = np.array(curves, dtype=np.float64).mean(axis=0)
    return points[:, 0], points[:, 1]


def _smooth(curve: Curve) -> Curve:
    """The mean of each stretch of ten steps: one batch's loss says little."""
    points = np.array(curve, dtype=np.float64)
    return [tuple(stretch.mean(axis=0)) for stretch in np.array_split(points, max(1, len(points) // _WINDOW))]
