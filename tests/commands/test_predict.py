"""predict: which options are refused, and what is reported."""

from pathlib import Path

import pytest

from tasks.__main__ import main
from tasks.commands.predict import predict, report
from tasks.errors import CheckpointError, DataError, PipelineError
from tasks.prediction.slices import DEFAULT_OVERLAP
from tests.prediction.finding import WhiteFinder, drawn_in, listed, picture, predict_images


def options(*inputs, out, **more):
    """All keyword arguments of `predict`."""
    defaults = {"model": Path("missing"), "score_threshold": 0.3, "batch_size": 8, "write": ["json"]}
    return {
        "inputs": list(inputs),
        "out": out,
        "trust": False,
        "every": 1,
        "slice_px": None,
        "slice_overlap": None,
        "fps": 5.0,
        "alarm_rate": 0.01,
        **defaults,
        **more,
    }


def test_a_missing_model_is_reported_with_the_command_that_makes_one(tmp_path):
    path = picture(tmp_path / "a.png")
    with pytest.raises(CheckpointError, match="missing: no exported model here; run `make run` first"):
        predict(**options(path, out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("score_threshold", [-0.1, 1.5, float("nan")])
def test_a_score_threshold_outside_0_to_1_is_refused(tmp_path, score_threshold):
    with pytest.raises(PipelineError, match=r"--score-threshold .*: a score is a number from 0 to 1"):
        predict(**options(picture(tmp_path / "a.png"), out=tmp_path / "out", score_threshold=score_threshold))


def test_a_batch_without_images_is_refused(tmp_path):
    with pytest.raises(PipelineError, match="--batch-size 0: at least 1 image"):
        predict(**options(picture(tmp_path / "a.png"), out=tmp_path / "out", batch_size=0))


def test_files_of_an_earlier_run_stay_and_are_counted(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("tasks.evaluation.exported.load_exported", lambda _, trust: WhiteFinder())
    (tmp_path / "model").mkdir()
    first, both = picture(tmp_path / "in" / "a.png"), picture(tmp_path / "in" / "b.png")
    where = {"out": tmp_path / "out", "model": tmp_path / "model", "write": ["pictures", "json", "voc"]}
    predict(**options(first, both, **where))
    assert "earlier runs" not in capsys.readouterr().out

    predict(**options(both, **where))

    printed = capsys.readouterr().out
    assert f"{tmp_path / 'out'}: unchanged, of earlier runs: 2 files; --out FOLDER keeps runs apart" in printed
    assert drawn_in(tmp_path / "out") == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize(("name", "value"), [("every", 0), ("fps", 0.0), ("fps", float("nan"))])
def test_options_of_videos_and_gifs_are_checked(tmp_path, name, value):
    with pytest.raises(PipelineError, match=f"--{name}"):
        predict(**options(picture(tmp_path / "a.png"), out=tmp_path / "out", **{name: value}))


def test_unreadable_images_fail_the_command_after_its_report(tmp_path, capsys):
    bad = tmp_path / "b.png"
    bad.write_bytes(b"not an image")
    outcome = predict_images([picture(tmp_path / "a.png"), bad], WhiteFinder(), tmp_path / "out", 0.3, 8)
    with pytest.raises(DataError, match=r"1 of 2 images could not be read; the rest is in .*\n.*b\.png"):
        report(outcome, tmp_path / "out")
    assert "1 image, 1 box, " in capsys.readouterr().out


def test_a_single_image_that_cannot_be_read_leaves_no_rest(tmp_path):
    (tmp_path / "b.png").write_bytes(b"not an image")
    outcome = predict_images([tmp_path / "b.png"], WhiteFinder(), tmp_path / "out", 0.3, 8)
    with pytest.raises(DataError, match=r"1 of 1 image could not be read\. Mend, convert or remove:\n"):
        report(outcome, tmp_path / "out")


def test_a_name_that_xml_cannot_hold_is_named_and_the_others_are_written(tmp_path, capsys):
    paths = [picture(tmp_path / name) for name in ("a.png", "bell\a.png", "c.png")]
    outcome = predict_images(paths, WhiteFinder(), tmp_path / "out", 0.3, 8, write=["json", "voc"])
    assert sorted(path.name for path in (tmp_path / "out" / "voc").iterdir()) == ["a.xml", "c.xml"]
    assert len(listed(tmp_path / "out")["images"]) == outcome.pictures == 3
    with pytest.raises(DataError) as caught:
        report(outcome, tmp_path / "out")
    head, line = str(caught.value).splitlines()
    assert head == f"1 of 3 images could not be written to every file in {tmp_path / 'out'}:"
    assert "bell\ufffd.png: no XML file: XML cannot hold every character" in line
    assert "voc/ with 2 XML files" in capsys.readouterr().out


def test_a_name_too_long_for_its_result_is_named_with_the_remedy_and_the_others_are_written(tmp_path):
    long = "b" * 251
    # The second one's result would be called bbb...b-2.jpg.
    paths = [picture(tmp_path / name) for name in ("a.png", f"{long}.bmp", f"{long}.png", "z.png")]
    outcome = predict_images(paths, WhiteFinder(), tmp_path / "out", 0.3, 8)
    assert drawn_in(tmp_path / "out") == ["a.jpg", f"{long}.jpg", "z.jpg"]
    assert len(listed(tmp_path / "out")["images"]) == 4
    with pytest.raises(DataError) as caught:
        report(outcome, tmp_path / "out")
    assert str(caught.value).splitlines()[1:] == [
        f"  {tmp_path / long}.png: its name is too long for a file called after it: rename it"
    ]


def test_a_path_too_long_for_a_result_asks_for_another_out(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    out = Path(*["x" * 200] * 20, "x" * 70)
    outcome = predict_images([picture(Path("a.png"))], WhiteFinder(), out, 0.3, 8, write=["voc"])
    assert [each.reason for each in outcome.unwritten] == [
        "its file would have too long a path: choose a shorter --out"
    ]


@pytest.mark.parametrize("side", [63, 0, -640])
def test_slices_that_are_too_small_are_refused(tmp_path, side):
    with pytest.raises(PipelineError, match=f"--slice {side}: a tile has sides of at least 64 pixels"):
        predict(**options(picture(tmp_path / "a.png"), out=tmp_path / "out", slice_px=side))


@pytest.mark.parametrize("overlap", [-0.1, 0.81, float("nan")])
def test_an_overlap_outside_0_to_08_is_refused(tmp_path, overlap):
    with pytest.raises(PipelineError, match=r"--slice-overlap .*: tiles share from 0 to 0\.8 of their side"):
        predict(**options(picture(tmp_path / "a.png"), out=tmp_path / "out", slice_px=64, slice_overlap=overlap))


@pytest.mark.parametrize("overlap", [0.0, 0.2])
def test_an_overlap_of_no_slices_is_refused(tmp_path, overlap):
    with pytest.raises(PipelineError, match=r"--slice-overlap .*: without --slice there are no tiles; add --slice 640"):
        predict(**options(picture(tmp_path / "a.png"), out=tmp_path / "out", slice_overlap=overlap))


def test_the_help_names_the_overlap_that_is_taken(capsys):
    with pytest.raises(SystemExit):
        main(["predict", "--help"])
    assert f"has in common with its neighbour; default: {DEFAULT_OVERLAP}" in " ".join(capsys.readouterr().out.split())


def test_large_photos_are_detected_in_slices_where_asked(tmp_path, monkeypatch):
    finder = WhiteFinder()
    monkeypatch.setattr("tasks.evaluation.exported.load_saved_model", lambda _, trust: finder)
    (tmp_path / "model").mkdir()
    path = picture(tmp_path / "in" / "a.png", size=(100, 64), white=(50, 10, 70, 30))
    predict(**options(path, out=tmp_path / "out", model=tmp_path / "model", slice_px=64))
    assert finder.batches == [[(64, 100, 3)], [(64, 64, 3), (64, 64, 3)]]
    assert [row["bbox"] for row in listed(tmp_path / "out")["annotations"]] == [[50.0, 10.0, 20.0, 20.0]]
