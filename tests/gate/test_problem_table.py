from tasks.dataset.dataset import Problem
from tasks.gate.policy import Policy
from tasks.gate.problem_table import problem_table


def test_the_table_lists_dropped_first_and_names_the_policy():
    problems = [
        Problem("exif_rotated", "a", "", "kept"),
        *[Problem("no_objects", "b", "", "dropped_image")] * 2,
        Problem("copies_annotated_differently", "c", "", "kept"),
        Problem("inverted_box", "d", "", "fixed_box"),
        Problem("image_without_annotation", "e", "", "left_out"),
        Problem("from elsewhere", "f", "", "kept"),
    ]
    assert problem_table(problems, Policy("fix", {"no_objects": "drop"})).splitlines() == [
        "problem                       count  what was done  policy",
        "no_objects                        2  dropped image  drop (validate.policy)",
        "inverted_box                      1  fixed box      fix (default)",
        "copies_annotated_differently      1  kept           keep (default)",
        "exif_rotated                      1  kept           fix (default)",
        "from elsewhere                    1  kept",
        "image_without_annotation          1  left out       keep (no choice)",
        "docs/data-gate.md explains each kind; the report shows examples",
    ]
    assert problem_table([], Policy("fix", {})) == "no problems found"
