"""The curves' files: names of classes are harmless in them, and as they were when read."""

from pathlib import Path

from tasks.artifacts.precision_recall import CurvePoint, read_precision_recall, write_precision_recall


def test_names_have_no_opening_bracket_in_the_files_and_are_read_as_they_were(tmp_path: Path) -> None:
    names = ("</script>", "&lt;", "salt & pepper")
    points = [CurvePoint(class_=name, recall=recall, precision=1.0) for name in names for recall in (0.0, 1.0)]
    write_precision_recall(tmp_path, points)
    assert not any("<" in path.read_text(encoding="utf-8") for path in tmp_path.iterdir())
    assert read_precision_recall(tmp_path) == points
