"""`python -m tasks compare` where the data of the two runs differ: shared test images, and what changed."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.__main__ import main
from tasks.dataset.dataset import Dataset
from tests.commands.two_runs import IMAGES, world, write_run


def part(truth: Dataset, places: Sequence[int]) -> Dataset:
    return replace(truth, images=tuple(truth.images[place] for place in places))


def figures(text: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(("| mAP", "| A"))]


def test_figures_are_of_the_shared_test_images_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    truth, (poor, good) = world([0.4, 1.0])
    last = truth.images[-1]
    redrawn = replace(truth, images=(*truth.images[1:-1], replace(last, boxes=last.boxes + 3.0)))
    # In another order, as another split gives it.
    order = list(range(len(redrawn.images)))[::-1]
    write_run(tmp_path / "poor", truth, poor)
    write_run(tmp_path / "good", part(redrawn, order), [good[1:][place] for place in order], steps=900)
    assert main(["compare", "poor", "good", "--out", "found.md"]) == 0
    text = capsys.readouterr().out
    shared = IMAGES - 2
    assert f"**good** against **poor**, on the {shared} test images that both share" in text
    assert f"Left out are 2 of the {IMAGES} test images of poor: 1 not in the data of good (00.jpg), 1 with" in text
    assert f"Left out are 1 of the {IMAGES - 1} test images of good: 1 with other content or other boxes" in text
    changed = len(last.boxes)
    assert f"Their data differ: 1 image removed; {changed} box" in text
    assert "Params and data differ: what the figures gain or lose can come from either." in text
    assert "`python -m tasks diff poor good` lists what changed." in text
    assert main(["compare", "poor", "good"]) == 0
    page = (tmp_path / "compare.html").read_text(encoding="utf-8")
    assert f"on <b>the {shared} test images that both share</b>" in page
    assert "Left out are 2 of the" in page
    assert "<code>python -m tasks diff poor good</code> lists what changed." in page

    places = list(range(1, IMAGES - 1))
    for name, found in (("poor", poor), ("good", good)):
        write_run(tmp_path / "equal" / name, part(truth, places), [found[place] for place in places])
    capsys.readouterr()
    assert main(["compare", "equal/poor", "equal/good"]) == 0
    on_equal = capsys.readouterr().out
    assert f"on the same {shared} test images" in on_equal
    assert "data differ" not in on_equal
    assert figures(on_equal) == figures(text)


def test_an_image_that_the_other_run_trained_on_is_not_compared_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    truth, (found,) = world([1.0])
    write_run(tmp_path / "before", part(truth, range(20)), found[:20], others={"train": part(truth, range(20, 40))})
    places = list(range(5, 30))
    others = {"train": part(truth, [*range(5), *range(30, 40)])}
    write_run(tmp_path / "after", part(truth, places), [found[place] for place in places], others=others)
    assert main(["compare", "before", "after"]) == 0
    text = capsys.readouterr().out
    assert "on the 15 test images that both share" in text
    assert "5 of the 20 test images of before: 5 in the train split of after (00.jpg, 01.jpg, 02.jpg, ...)" in text
    assert "10 of the 25 test images of after: 10 in the train split of before (20.jpg, 21.jpg, 22.jpg, ...)" in text
    assert "15 images moved to another split" in text
    assert "Params and data differ" not in text


def test_too_few_shared_test_images_are_refused_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    truth, (found,) = world([1.0])
    write_run(tmp_path / "first", part(truth, range(20)), found[:20])
    write_run(tmp_path / "second", part(truth, range(16, 40)), found[16:])
    assert main(["compare", "first", "second"]) == 1
    text = capsys.readouterr().err
    assert "first and second share 4 test images, and figures are compared on 5 or more" in text
    assert "Left out are 16 of the 20 test images of first: 16 not in the data of second (00.jpg, 01.jpg" in text
    assert "`python -m tasks diff first second` shows what changed in the data" in text
    assert not (tmp_path / "compare.html").exists()


def test_other_classes_are_refused_and_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    truth, (found,) = world([1.0])
    write_run(tmp_path / "before", truth, found)
    write_run(tmp_path / "after", replace(truth, classes=(*truth.classes, "yak")), found)
    assert main(["compare", "before", "after"]) == 1
    assert "before and after have other classes: cat, dog, owl and cat, dog, owl, yak." in capsys.readouterr().err


def test_another_order_of_the_classes_changes_no_figure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    truth, (poor, good) = world([0.4, 1.0])
    write_run(tmp_path / "poor", truth, poor)
    write_run(tmp_path / "good", truth, good)
    write_run(tmp_path / "reversed", replace(truth, classes=truth.classes[::-1]), good)
    texts = []
    for name in ("good", "reversed"):
        assert main(["compare", "poor", name]) == 0
        texts.append(capsys.readouterr().out)
    assert figures(texts[0]) == figures(texts[1])
    assert all("**better**" in text for text in texts)
