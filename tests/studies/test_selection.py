"""The study of `suggest`: its rounds with a network that is played, what a killed run does again, and its table."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from studies.selection.params import read_selection_params
from studies.selection.result import Curve, Round
from studies.selection.rounds import Places, Pool, Scores, run_method
from studies.selection.table import labels_to_reach, write_table
from studies.stages import PARAMS, write_params
from tasks.artifacts.artifact import write_artifact
from tasks.dataset.detections import Detections
from tasks.errors import PipelineError
from tests.metrics.cases import detect

STUDY = Path(__file__).parents[2] / "studies" / "selection"
SIZES = [4, 8, 12]
METHODS = {"random": 1.0, "suggest": 0.25}


class PlayedLearner:
    """Its mAP is the share of clusters with a label; it is unsure of photos with an odd number."""

    def __init__(self) -> None:
        self.trainings: list[list[int]] = []
        self.looked_at: list[Places] = []

    def scores(self, labelled: Places) -> Scores:
        self.trainings.append(labelled.tolist())
        share = len({place // 5 for place in labelled.tolist()}) / 8
        return Scores(share, share, 1.0)

    def detect(self, labelled: Places, photos: Places) -> list[Detections]:
        self.looked_at.append(photos)
        return [detect(((0, 0, 9, 9), "cat", 0.5 if place % 2 else 1.0)) for place in photos.tolist()]


def pool(similar: Sequence[tuple[int, int]] = ()) -> Pool:
    """Forty photos in eight clusters of five."""
    vectors = np.random.default_rng(0).normal(0.0, 0.02, (40, 8))
    vectors[np.arange(40), np.arange(40) // 5] += 1.0
    unit = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return Pool([f"{number}.jpg" for number in range(40)], unit, similar)


def begun(method: str, seed: int = 1) -> Curve:
    return Curve(data="guns", method=method, seed=seed, code="c", steps=9, test_images=7, pool=40)


def run(method: str, file: Path, learner: PlayedLearner, *, seed: int = 1, photos: Pool | None = None) -> Curve:
    return run_method(begun(method, seed), SIZES, METHODS[method], photos or pool(), learner, file)


def test_each_round_labels_as_many_more_photos_and_none_twice(tmp_path: Path) -> None:
    for method in METHODS:
        curve = run(method, tmp_path / method, PlayedLearner())
        assert [each.labels for each in curve.rounds] == SIZES
        assert [len(each.new) for each in curve.rounds] == [4, 4, 4]
        assert len(set(curve.labelled)) == 12
        assert curve.next == []


def test_all_methods_begin_with_the_same_photos_and_seeds_with_others(tmp_path: Path) -> None:
    first = {method: run(method, tmp_path / method, PlayedLearner()).rounds[0].new for method in METHODS}
    assert first["random"] == first["suggest"]
    assert run("random", tmp_path / "other", PlayedLearner(), seed=2).rounds[0].new != first["random"]


def test_only_the_choice_that_needs_it_looks_at_photos_and_at_none_that_is_labelled(tmp_path: Path) -> None:
    by_lot, choosing = PlayedLearner(), PlayedLearner()
    run("random", tmp_path / "random", by_lot)
    run("suggest", tmp_path / "suggest", choosing)
    assert by_lot.looked_at == []
    # The last round chooses nothing.
    assert len(choosing.looked_at) == 2
    for photos, labelled in zip(choosing.looked_at, choosing.trainings, strict=False):
        assert not {*photos.tolist()} & {*labelled}


def test_unseen_clusters_are_labelled_first_and_in_them_what_the_network_is_unsure_of(tmp_path: Path) -> None:
    start, after = run("suggest", tmp_path / "suggest", PlayedLearner()).rounds[:2]
    seen, chosen = ([int(name.removesuffix(".jpg")) for name in each.new] for each in (start, after))
    unseen = [place for place in chosen if place // 5 not in {each // 5 for each in seen}]
    assert len(unseen) >= 3
    assert sum(place % 2 for place in unseen) >= 3


def test_what_is_similar_to_a_labelled_photo_is_labelled_only_where_nothing_else_is_left(tmp_path: Path) -> None:
    everything = [(a, b) for a in range(40) for b in range(a)]
    learner = PlayedLearner()
    curve = run("suggest", tmp_path / "suggest", learner, photos=pool(everything))
    assert [each.labels for each in curve.rounds] == SIZES
    assert [len(photos) for photos in learner.looked_at] == [0, 0]


def test_a_killed_run_does_no_round_again_and_ends_the_same(tmp_path: Path) -> None:
    class KilledLearner(PlayedLearner):
        def scores(self, labelled: Places) -> Scores:
            if len(labelled) == 12:
                raise KeyboardInterrupt
            return super().scores(labelled)

    whole = run("suggest", tmp_path / "whole", PlayedLearner())
    with pytest.raises(KeyboardInterrupt):
        run("suggest", tmp_path / "killed", KilledLearner())
    again = PlayedLearner()
    assert run("suggest", tmp_path / "killed", again) == whole
    assert [len(labelled) for labelled in again.trainings] == [12]
    ended = PlayedLearner()
    assert run("suggest", tmp_path / "killed", ended) == whole
    assert ended.trainings == []


def test_the_matrix_and_the_files_are_those_of_trials_yaml() -> None:
    stages = yaml.safe_load((STUDY / "dvc.yaml").read_text())["stages"]
    study = read_selection_params(STUDY / "trials.yaml")
    assert stages["rounds"]["matrix"] == {"data": list(study.data), "seed": "${seeds}"}
    files = [name for out in stages["rounds"]["outs"] for name in out]
    assert files == [f"results/${{item.data}}-${{item.seed}}-{method}.json" for method in study.methods]
    assert study.sizes == [20, 40, 60, 80, 100]
    assert study.methods["random"] == 1.0


def test_the_pipeline_accepts_the_params_of_the_study(tmp_path: Path) -> None:
    changes = read_selection_params(STUDY / "trials.yaml").changes
    params = write_params(PARAMS, tmp_path / "run", tmp_path / "data", changes)
    assert (params.train.steps, params.train.cache.use) == (120, "memory")


def test_rounds_that_do_not_end_at_most_are_an_error(tmp_path: Path) -> None:
    text = (STUDY / "trials.yaml").read_text().replace("most: 100", "most: 90")
    (tmp_path / "trials.yaml").write_text(text)
    with pytest.raises(PipelineError, match="from start 20, rounds of 20 do not end at most: 90"):
        read_selection_params(tmp_path / "trials.yaml")


def result(folder: Path, method: str, seed: int, *scores: float, **changes: Any) -> None:
    rounds = [
        Round(labels=20 * number, new=[], mAP=score, AP50=score, train_seconds=1.0)
        for number, score in enumerate(scores, start=1)
    ]
    curve = begun(method, seed).model_copy(update={"rounds": rounds, **changes})
    folder.mkdir(exist_ok=True)
    write_artifact(folder / f"{curve.key}.json", curve)


def table(folder: Path) -> str:
    return write_table(folder / "results", folder / "t.json", folder / "t.md", METHODS)


def test_the_table_compares_each_method_with_chance_at_the_same_number_of_labels(tmp_path: Path) -> None:
    for seed, gain in ((1, 0.01), (2, 0.02), (3, 0.03)):
        result(tmp_path / "results", "random", seed, 0.1, 0.2, 0.3)
        result(tmp_path / "results", "suggest", seed, 0.1, 0.2 + gain, 0.4)
    text = table(tmp_path)
    assert "| guns (7) | 40 | suggest | 3 | 0.220 ± 0.010 | 0.220 |" in text
    # Student's t of 2 degrees of freedom: 4.303; the spread of 0.01, 0.02 and 0.03 is 0.01.
    assert "| guns | 40 | suggest | 3 | +0.020 (-0.005 to +0.045) |" in text
    # From 0.22 at 40 labels to 0.4 at 60, 0.3 is reached at 40 + 20 x 0.08 / 0.18.
    assert "| guns | suggest | 0.300 | 49 of 60 |" in text
    assert "different versions" not in text
    assert (tmp_path / "t.md").read_text() == text


def test_a_method_that_does_not_get_as_far_as_chance_is_said_to(tmp_path: Path) -> None:
    result(tmp_path / "results", "random", 1, 0.1, 0.3)
    result(tmp_path / "results", "suggest", 1, 0.1, 0.2, code="d")
    text = table(tmp_path)
    assert "| guns | suggest | 0.300 | not reached |" in text
    assert "The runs are of 2 different versions of the code." in text
    assert "| guns (7) | 40 | suggest | 1 | 0.200 | 0.200 |" in text


def test_a_method_without_chance_to_compare_with_has_its_rows_alone(tmp_path: Path) -> None:
    result(tmp_path / "results", "suggest", 1, 0.1, 0.2)
    text = table(tmp_path)
    assert text.count("| guns") == 2


@pytest.mark.parametrize(
    ("scores", "changes"),
    [((0.1, 0.2, 0.3), {}), ((0.1, 0.2), {"test_images": 8}), ((0.1, 0.2), {"steps": 5})],
    ids=["more rounds", "other images", "longer trainings"],
)
def test_rounds_that_differ_have_no_table(tmp_path: Path, scores: tuple[float, ...], changes: dict[str, int]) -> None:
    result(tmp_path / "results", "random", 1, 0.1, 0.2)
    result(tmp_path / "results", "random", 2, *scores, **changes)
    with pytest.raises(PipelineError, match=r"guns-2-random has other .* than guns-1-random: .*-f rounds@guns-2"):
        table(tmp_path)


def test_a_table_without_results_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="no run has ended yet"):
        table(tmp_path)


@pytest.mark.parametrize(
    ("curve", "expected"),
    [([], None), ([(20, 0.5)], 20.0), ([(20, 0.1), (40, 0.3), (60, 0.2)], 40.0), ([(20, 0.1), (40, 0.2)], None)],
    ids=["no round", "at once", "exactly", "never"],
)
def test_labels_to_reach_a_score(curve: list[tuple[int, float]], expected: float | None) -> None:
    assert labels_to_reach(curve, 0.3) == (pytest.approx(expected) if expected else None)
