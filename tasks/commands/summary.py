"""The figures of the last run in a few lines, for `make run`."""

from collections.abc import Sequence
from pathlib import Path

from tasks.artifacts.evaluation import HEADLINES, SavedModelFigures, read_evaluation
from tasks.artifacts.gate import read_gate_counts
from tasks.artifacts.recipe import RecipeUse
from tasks.artifacts.slices import Slices, read_slices
from tasks.artifacts.training import read_training_figures
from tasks.ground.figures import figure_text, interval_text
from tasks.ground.text import counted, print_text, printable
from tasks.model.variants import in_table_order
from tasks.params import PathParams, read_params


def summary(*, params: Path) -> None:
    """Print the figures of the last run; its paths stand in the params file `params`.

    Raises:
        PipelineError: the pipeline has not run to its end yet.
    """
    print_text(figures(read_params(params).paths))


def figures(paths: PathParams) -> str:
    """Data, training and test figures as text.

    Raises:
        PipelineError: the pipeline has not run to its end yet.
    """
    data, train = read_gate_counts(paths.metrics_data), read_training_figures(paths.metrics_train)
    test = read_evaluation(paths.metrics_evaluate)
    best = "no validation images" if train.best_mAP is None else f"validation mAP {train.best_mAP:.3f}"
    models = {"SavedModel": test.saved_model, **dict(in_table_order(test.variants))}
    lines = [
        f"data      {_count(data.images, 'image')}, {_count(data.boxes, 'box')}; dropped "
        f"{_count(data.dropped_images, 'image')} and {_count(data.dropped_boxes, 'box')}, fixed "
        f"{_count(data.fixed_boxes, 'box')}",
        *_recipe(train.recipe),
        f"training  {train.steps} steps, best after {train.best_step} ({best}), loss {train.loss:.3f}, "
        f"{train.step_ms_median / 1000:.2f} s a step",
        f"test      {counted(test.images, 'image')} that training never saw",
        "",
        f"{'':24}" + "".join(f"{name:>12}" for name in models),
    ]
    lines += [
        _row(name, [figures.by_name()[name] for figures in models.values()]) + _interval(test.saved_model, name)
        for name in HEADLINES
    ]
    lines += [
        _row(f"AP of {name}", [getattr(figures.per_class.get(name), "ap", None) for figures in models.values()])
        for name in test.saved_model.per_class
    ]
    return "\n".join([*lines, *surely_worse(read_slices(paths.detections))])


def surely_worse(slices: Slices) -> list[str]:
    """A line for each slice that is surely worse than the rest, the largest difference first."""
    return [
        f"surely worse: {printable(each.title)}, mAP {figure_text(each.shared_ap)} against "
        f"{figure_text(each.rest_ap)} on the rest"
        for each in slices.surely_worse
    ]


def _recipe(recipe: RecipeUse | None) -> list[str]:
    if recipe is None or recipe.name is None:
        return []
    return [f"recipe    {recipe.title}"]


def _count(number: int | None, noun: str) -> str:
    """`2 images`; `- images` where the file does not say how many."""
    return counted(0, noun).replace("0", "-", 1) if number is None else counted(number, noun)


def _row(name: str, values: Sequence[float | None]) -> str:
    return f"{printable(name[:23]):24}" + "".join(f"{figure_text(value):>12}" for value in values)


def _interval(model: SavedModelFigures, name: str) -> str:
    interval = model.interval(name)
    return f"   SavedModel, 95 %: {interval_text(interval)}" if interval else ""
