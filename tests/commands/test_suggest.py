"""suggest: which input is refused, what is written and printed; no TensorFlow is loaded."""

import shlex
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tasks.__main__ import main
from tasks.artifacts.suggestions import Suggestions, read_suggestions
from tasks.commands.suggest import annotate_command
from tasks.dataset.coco_json import write_coco
from tests.prediction.finding import WhiteFinder
from tests.selection.photos import ColourEmbedder, labelled, photo

ROOT = Path(__file__).parents[2]
OUT = Path("reports")
NEW = [f"{letter}.png" for letter in "abcdef"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a model, three labelled photos, and six new ones in `photos`, one of them with white in it."""
    fakes: dict[str, dict[str, Any]] = {"tasks.detector.embedding": {"PhotoEmbedder": ColourEmbedder}}
    fakes["tasks.evaluation.exported"] = {"load_exported": lambda _, trust: WhiteFinder()}
    for name, content in fakes.items():
        monkeypatch.setitem(sys.modules, name, SimpleNamespace(**content))
    monkeypatch.chdir(tmp_path)
    shutil.copy(ROOT / "params.yaml", tmp_path)
    (tmp_path / "models" / "exported").mkdir(parents=True)
    for seed in range(3):
        photo(tmp_path / "known" / f"{seed}.png", seed)
    write_coco(labelled(Path("known"), "0.png", "1.png", "2.png"), Path("data/validated/annotations.json"))
    # Numbered photos would be neighbours among frames.
    for seed, name in enumerate(NEW):
        photo(tmp_path / "photos" / name, 10 + seed, white=(10, 10, 40, 40) if name == "a.png" else None)
    return tmp_path


def written() -> Suggestions:
    return read_suggestions(OUT / "suggest.json")


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["suggest", *arguments]) == 1
    return capsys.readouterr().err


def test_photos_are_chosen_and_the_way_on_is_printed(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["suggest", "photos", "--count", "5"]) == 0
    printed = capsys.readouterr().out
    found = written()
    assert [each.rank for each in found.photos] == [1, 2, 3, 4, 5]
    assert [each.reason for each in found.photos].count("random") == 1
    assert {each.image for each in found.photos} <= {*NEW}
    assert {each.nearest for each in found.photos} <= {"0.png", "1.png", "2.png"}
    assert (found.labelled, found.candidates, found.left_out) == (3, 6, [])
    assert "5 of 6 photos in photos, compared with 3 labelled photos: " in printed
    assert "\nreports/suggest.html: the page\nreports/suggest.json: the same as JSON\n" in printed
    assert "make annotate IMAGES=photos ONLY=reports/suggest.json" in printed
    assert (OUT / "suggest.html").read_text().count("data:image/jpeg;base64,") == 5


def test_the_same_command_chooses_the_same_and_another_seed_draws_others(project: Path) -> None:
    first: dict[str, list[list[str]]] = {}
    for seed in ("1", "1", "2"):
        assert main(["suggest", "photos", "--count", "4", "--random-share", "0.5", "--seed", seed]) == 0
        first.setdefault(seed, []).append([each.image for each in written().photos if each.reason == "random"])
    assert first["1"][0] == first["1"][1] != first["2"][0]


def test_more_than_there_are_gives_all_and_says_so(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["suggest", "photos"]) == 0
    assert len(written().photos) == 6
    assert "20 were asked for: these are all that there are to choose from" in capsys.readouterr().out


def test_near_duplicates_of_chosen_photos_are_not_chosen(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copy("photos/a.png", "photos/again.png")
    assert main(["suggest", "photos"]) == 0
    assert len(written().photos) == 6
    assert len({"a.png", "again.png"} & {each.image for each in written().photos}) == 1
    assert "20 were asked for: 1 photo is not given, as a near-duplicate of these" in capsys.readouterr().out


def test_photos_that_cannot_be_read_are_named_after_the_others_are_done(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("photos/bad.jpg").write_bytes(b"no image")
    message = complaint(capsys, "photos", "--count", "3")
    assert "suggest: 1 photo could not be read; reports has what was chosen from the others. Mend, " in message
    assert "  bad.jpg: not an image" in message
    assert len(written().photos) == 3
    assert [(each.image, each.why) for each in written().left_out] == [("bad.jpg", "unreadable")]


def test_labelled_photos_that_went_are_counted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("known/1.png").unlink()
    assert main(["suggest", "photos", "--count", "2"]) == 0
    assert "1 of 3 labelled photos cannot be read, and nothing is compared with them: " in capsys.readouterr().out
    assert written().labelled == 2


def test_without_any_labelled_photo_there_is_nothing_to_compare_with(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree("known")
    message = complaint(capsys, "photos")
    assert "none of the 3 labelled photos can be read, such as known/0.png: no such file; put them back" in message


def test_a_folder_whose_images_are_all_labelled_is_refused(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = complaint(capsys, "known")
    assert "known: no photo is left to choose from (labelled already 3); name a folder with other photos" in message
    assert not OUT.exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["photos", "--count", "0"], "--count 0: at least 1 photo"),
        (["photos", "--random-share", "1.5"], "--random-share 1.5: a share from 0 to 1"),
        (["photos", "--random-share", "nan"], "--random-share nan: a share from 0 to 1"),
        (["photos", "--seed", "-1"], "--seed -1: a whole number from 0 on"),
        (["photos", "--batch-size", "0"], "--batch-size 0: at least 1 image"),
        (["photos", "--model", "nowhere"], "nowhere: no exported model here; run `make run` first"),
        (["photos", "--out", "models"], "--out models: DVC removes what stands at paths."),
        (["photos", "--out", "params.yaml"], "--out params.yaml: is of the project itself"),
        (["photos", "--out", "photos/out"], "--out photos/out and the input photos lie in each other"),
        (["nowhere"], "nowhere: no such folder; name the one with the photos that have no boxes yet"),
        (["models"], "models: no images found"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_refused_before_anything_is_loaded(
    arguments: list[str],
    expected: str,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "tasks.evaluation.exported", None)
    assert expected in complaint(capsys, *arguments)
    assert not OUT.exists()


def test_without_a_run_it_names_the_command_that_makes_one(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree("data")
    message = complaint(capsys, "photos")
    assert "data/validated/annotations.json: no such file; run `dvc repro`, which runs the stage" in message


def test_hard_classes_count_more_where_the_run_measured_them(project: Path) -> None:
    assert main(["suggest", "photos", "--count", "6"]) == 0
    before = {each.image: each.uncertainty for each in written().photos}
    Path("metrics").mkdir()
    Path("metrics/evaluate.json").write_text('{"saved_model": {"per_class": {"white": {"AP": 0.0}}}}')
    assert main(["suggest", "photos", "--count", "6"]) == 0
    after = {each.image: each.uncertainty for each in written().photos}
    assert after["a.png"] > before["a.png"] > 0
    assert after["f.png"] == before["f.png"] == 0


def test_the_command_that_draws_quotes_names_and_passes_another_model_on() -> None:
    command = annotate_command(Path("my photos"), Path("s/suggest.json"), Path("other"))
    assert command == "make annotate IMAGES='my photos' ONLY=s/suggest.json MODEL=other"


@pytest.mark.parametrize("name", ["$(shell touch x)", "a`touch x`", 'a" b', "a$b", "a\\", "a\nb"])
def test_names_that_make_would_run_are_given_to_the_command_itself(name: str) -> None:
    command = annotate_command(Path(name), Path("reports/suggest.json"), Path("other"))
    assert shlex.split(command) == [
        *("scripts/annotate.sh", "&&", "python", "-m", "tasks", "annotate"),
        *(name, "--only=reports/suggest.json", "--model=other"),
    ]
    assert name in annotate_command(Path("photos"), Path(name, "suggest.json"), Path("models/exported"))
    assert "make" not in annotate_command(Path("photos"), Path(name, "suggest.json"), Path("models/exported"))
