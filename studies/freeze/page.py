"""The study's table as Markdown and JSON, and its page."""

from collections.abc import Iterator, Mapping
from dataclasses import astuple, dataclass
from pathlib import Path

from markupsafe import Markup

from studies.freeze.conclusion import conclusion
from studies.freeze.figures import ModelFigures, Row, figures, missing_models, read_runs
from studies.freeze.params import StudyParams
from studies.freeze.pictures import colours_of, pictures
from studies.freeze.places import timing_name
from studies.freeze.record import Record
from tasks.artifacts.artifact import read_artifact
from tasks.dataset.split_files import read_coco_split
from tasks.ground.files import replacing, write_json
from tasks.ground.text import printable
from tasks.report_page.page import render

_HEAD = (
    "| arm | frozen variables | largest change | step, s | without cache, s | times as fast | start-up, s | mAP | "
    "95 % interval | against the first | mAP at equal time |"
)


@dataclass(frozen=True)
class _Cells:
    """A row of the table in words, in the order of its columns."""

    arm: str
    frozen: str
    change: str
    step: str
    uncached: str
    times: str
    startup: str
    mAP: str  # noqa: N815 - the metric's name
    interval: str
    difference: str
    equal_time: str


@dataclass(frozen=True)
class _ModelSection:
    """What the page shows of one model; `pictures` are `(title, drawing)`."""

    name: str
    start: str
    length: str
    seconds: float
    rows: list[_Cells]
    conclusion: list[str]
    legend: list[tuple[str, str]]
    pictures: list[tuple[str, Markup]]


def write_page(study: StudyParams, photos: Path, results: Path, timing: Path, out: Path) -> str:
    """Write table.json and table.md beside each other, and the page `out`; returns the table.

    A model without any run is left out, with a warning: its runs can take hours.

    Raises:
        PipelineError: there are no runs, some of a model's are missing, or one cannot be read.
    """
    test = read_coco_split(photos / "splits", "test")
    missing = missing_models(results, study)
    models = [model for model in study.models if model not in missing]
    timings = {model: _read_timings(timing, model, study) for model in models}
    found = [
        figures(model, study.arms, read_runs(results, model, study.arms, study.seeds, test), timings[model])
        for model in models
    ]
    warnings = [f"Not run yet: {', '.join(study.models[model].name for model in missing)}."] if missing else []
    warnings += [_warning_of_versions(one, study) for one in found if len(_versions(one, timings[one.model])) > 1]
    text = "\n".join([*(line for one in found for line in _markdown(one, study)), *warnings]) + "\n"
    Path("table.md").write_text(text, encoding="utf-8")
    write_json(Path("table.json"), {one.model: {row.arm: _json_row(row) for row in one.rows} for one in found})
    content = {
        "images": len(test.images),
        "seeds": len(study.seeds),
        "warnings": warnings,
        "models": [_model_section(one, study) for one in found],
    }
    out.parent.mkdir(parents=True, exist_ok=True)
    with replacing(out) as beside:
        beside.write_text(render(content, printable, "page.html.j2", Path(__file__).parent), encoding="utf-8")
    return text


def _versions(found: ModelFigures, timings: Mapping[str, Record]) -> set[str]:
    """Of the code and the weights of a model's runs: arms are compared within a model only."""
    runs = (run.record for own in found.runs.values() for run in own)
    return {record.code for record in (*runs, *timings.values())}


def _warning_of_versions(found: ModelFigures, study: StudyParams) -> str:
    name = study.models[found.model].name
    return f"{name}: runs of different versions of the code, the params and the weights are mixed here."


def _read_timings(folder: Path, model: str, study: StudyParams) -> dict[str, Record]:
    names = {arm: timing_name(model, arm) for arm in study.arms}
    files = {arm: folder / f"{name}.json" for arm, name in names.items()}
    return {arm: read_artifact(file, Record, f"timing@{names[arm]}") for arm, file in files.items() if file.is_file()}


def _markdown(found: ModelFigures, study: StudyParams) -> list[str]:
    return [
        f"**{study.models[found.model].name}**, {_length(found.model, study)}, {len(study.seeds)} seeds",
        "",
        _HEAD,
        "|---|" + "---:|" * 10,
        *("| " + " | ".join(astuple(_cells(row))) + " |" for row in found.rows),
        "",
        *conclusion(found),
        "",
    ]


def _length(model: str, study: StudyParams) -> str:
    """The steps of its runs, and the other params in which they differ from those of other models."""
    others = [f"{key} {value}" for key, value in _flat(study.models[model].train) if key != "steps"]
    steps = f"{study.training(model)['steps']} steps"
    return f"{steps} ({', '.join(others)})" if others else steps


def _start(model: str, study: StudyParams) -> str:
    """The weights that its runs start from, in words."""
    scenes = study.scenes
    if study.models[model].start == "base":
        return "the project's base"
    return f"the project's base, then {scenes.steps} steps on generated scenes at {scenes.side_px} px"


def _flat(params: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for key, value in params.items():
        if isinstance(value, dict):
            yield from ((f"{key}.{inner}", content) for inner, content in _flat(value))
        else:
            yield key, value


def _cells(row: Row) -> _Cells:
    ends, difference = row.interval, row.difference
    return _Cells(
        arm=row.arm,
        frozen=str(row.frozen),
        change=f"{row.max_change:g}",
        step=f"{row.step_s:.3f} ({row.step_range[0]:.3f} to {row.step_range[1]:.3f})",
        uncached="" if row.uncached_s is None else f"{row.uncached_s:.3f} ({row.alone:.2f} times as fast)",
        times=f"{row.times[0]:.2f} ({row.times[1]:.2f} to {row.times[2]:.2f})",
        startup=f"{row.startup_s:.0f}",
        mAP=f"{row.mean_ap:.3f} ± {row.spread:.3f}",
        interval="" if ends is None else f"{ends.low:.3f} to {ends.high:.3f}",
        difference=""
        if difference is None or not row.frozen
        else f"{row.verdict} ({difference.low:+.3f} to {difference.high:+.3f})",
        equal_time=f"{row.equal_time:.3f} ± {row.equal_time_spread:.3f}",
    )


def _json_row(row: Row) -> dict[str, float | None]:
    """A row of table.json."""
    return {
        "frozen": row.frozen,
        "max_change": row.max_change,
        "startup_s": row.startup_s,
        "step_s": row.step_s,
        "uncached_s": row.uncached_s,
        "alone": row.alone,
        "equal_time": row.equal_time,
        "times": row.times[0],
        "mAP": row.mean_ap,
        "mAP_low": row.interval.low if row.interval else None,
        "mAP_high": row.interval.high if row.interval else None,
    }


def _model_section(found: ModelFigures, study: StudyParams) -> _ModelSection:
    model = found.model
    return _ModelSection(
        name=study.models[model].name,
        start=_start(model, study),
        length=_length(model, study),
        seconds=found.seconds,
        rows=[_cells(row) for row in found.rows],
        conclusion=conclusion(found),
        legend=list(colours_of(study.arms).items()),
        pictures=pictures(found),
    )
