"""Every kind of problem that data can have, and what is done about it. docs/data-gate.md explains each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from tasks.dataset.boxes import corners
from tasks.dataset.dataset import AnnotatedImage, Problem
from tasks.ground.text import shortened

Action = Literal["fail", "fix", "drop", "keep"]


@dataclass(frozen=True)
class Kind:
    """One kind of problem.

    Attributes:
        remedy: what a person does about it.
        actions: what `validate.policy` may choose; the first is what is done unless it says otherwise. Kinds with one
            action are those of `ingest`, which has no choice.
        stops_on_fail: whether `validate.on_problem: fail` stops for it.
        fixable_box: whether it is of a box that `validate.on_problem: fix` repairs and `drop` drops.
    """

    remedy: str
    actions: tuple[Action, ...]
    stops_on_fail: bool = True
    fixable_box: bool = False


def _always_dropped(remedy: str) -> Kind:
    return Kind(remedy, ("drop",))


def _always_kept(remedy: str) -> Kind:
    return Kind(remedy, ("keep",), stops_on_fail=False)


def _kept_by_default(remedy: str) -> Kind:
    return Kind(remedy, ("keep", "drop", "fail"), stops_on_fail=False)


def _dropped_by_default(remedy: str) -> Kind:
    return Kind(remedy, ("drop", "fail"))


def _fixed_box(remedy: str) -> Kind:
    return Kind(remedy, ("fix", "drop", "fail"), fixable_box=True)


KINDS: dict[str, Kind] = {
    # Found by `ingest`.
    "unreadable_annotation": _always_dropped("repair the annotation file, or delete it"),
    "unreadable_object": _always_dropped("give the object a box of four numbers, or delete it"),
    "unknown_class": _always_dropped("add the class to data.yaml, classes.txt or categories, or correct its number"),
    "unsupported_result": _always_dropped("draw the object as a rectangle"),
    "unused_result": _always_kept("nothing to do: of a result only the rectangle and its label are used"),
    "enclosing_box": _always_kept("check that the upright box around it fits the object"),
    "values_after_box": _always_kept("nothing to do if these are key points, a confidence or a track's id"),
    "cancelled_annotation": _always_kept("nothing to do: the annotator skipped it"),
    "superseded_annotation": _always_kept("nothing to do if the latest annotation is right; otherwise delete it"),
    "empty_class_name": _always_dropped("give the object a class name, or delete it"),
    "missing_image": _always_dropped("add the image, set ingest.images to its folder, or delete the annotation"),
    "ambiguous_image": _always_dropped("write the image's folder into the annotation, or rename one of the images"),
    "path_outside_root": _always_dropped("copy the image into ingest.source or ingest.images (a link is not enough)"),
    "renamed_image": _always_kept("write the image's real name into the annotation"),
    "given_split_unused": _always_kept("correct the path in data.yaml, or the list of images that it names"),
    "other_image_named": Kind(
        "correct <filename>, or delete it: the image is then the one that is called like the XML file; "
        "set validate.policy: {other_image_named: keep} if <filename> is right",
        ("fail", "keep"),
    ),
    "image_annotated_twice": _always_dropped("merge the annotations of this image into one, or delete the others"),
    "image_without_annotation": _always_kept(
        "annotate the image; if it shows no object, add an annotation without objects"
    ),
    "box_of_dropped_image": _always_dropped("fix the problem for which its image was dropped"),
    # Images.
    "unreadable_image": _dropped_by_default("replace the image (or scale down one that is too large), or delete it"),
    "size_mismatch": Kind(
        "check that the boxes belong to this version of the image, then correct the size", ("fix", "drop", "fail")
    ),
    "size_missing": Kind(
        "nothing to do: the size is read from the image", ("fix", "drop", "fail"), stops_on_fail=False
    ),
    "wrong_extension": _kept_by_default("rename the file after its real format"),
    "not_rgb": _kept_by_default("nothing to do: it is converted to RGB for training"),
    "animated_image": _kept_by_default("save the frame that the boxes belong to as an image of its own"),
    "exif_rotated": Kind(
        "check that the boxes fit the image as stored, not as viewers rotate it",
        ("fix", "drop", "fail"),
        stops_on_fail=False,
    ),
    "no_objects": _kept_by_default("nothing to do if the image really shows no object: training uses it as background"),
    "image_left_empty": _always_dropped("fix the image's boxes"),
    "copies_annotated_differently": Kind(
        "make the annotations of the copies equal, or delete one copy", ("keep", "fail"), stops_on_fail=False
    ),
    # Boxes and classes.
    "inverted_box": _fixed_box("swap the box's corners"),
    "normalised_box": _fixed_box("write the box in pixels"),
    "boxes_look_like_xywh": Kind("write the boxes as xmin, ymin, xmax, ymax", ("fail", "keep")),
    "boxes_look_misread": Kind("write the boxes as their format has them, or convert them", ("fail", "keep")),
    "box_outside_image": _dropped_by_default("move the box into the image, or delete it"),
    "box_partly_outside": _fixed_box("cut the box at the edge of the image"),
    "tiny_box": _dropped_by_default("draw the box larger, delete it, or lower validate.min_box_side_px"),
    "duplicate_box": Kind("delete one of the two boxes", ("drop", "keep", "fail")),
    "box_covers_image": _kept_by_default(
        "nothing to do if the object fills the image; else draw the box around the object"
    ),
    "box_below_resolution": _kept_by_default("set a larger model.side_px, crop the images, or delete the box"),
    "rare_class": Kind(
        "annotate more of this class, correct its spelling, or lower validate.min_boxes_per_class",
        ("drop", "keep", "fail"),
    ),
    "class_name_variant": Kind("use one spelling of the class name", ("fix", "keep", "fail")),
    "similar_class_names": Kind(
        "correct the spelling, or leave it if they are two classes", ("keep", "fail"), stops_on_fail=False
    ),
}


def policy_source(name: str, on_problem: Action, policy: Mapping[str, Action]) -> str:
    """What decides what is done about problems of the kind `name`; empty for kinds from elsewhere.

    Args:
        name: the kind.
        on_problem: `validate.on_problem`.
        policy: `validate.policy`.
    """
    kind = KINDS.get(name)
    if kind is None:
        return ""
    if name in policy:
        return "validate.policy"
    if len(kind.actions) == 1 and kind.actions[0] != "fail" and not (on_problem == "fail" and kind.stops_on_fail):
        return "no choice"
    return "default" if on_problem == "fix" else f"on_problem: {on_problem}"


def stops_by_default(name: str) -> bool:
    """Whether problems of the kind `name` stop the pipeline unless `validate.policy` lets them pass."""
    kind = KINDS.get(name)
    return kind is not None and kind.actions[0] == "fail"


def remedy(problem: Problem) -> str:
    """What a person does about `problem`; a data set from elsewhere may bring kinds that are not ours."""
    kind = KINDS.get(problem.kind)
    return kind.remedy if kind else "see docs/data-gate.md"


def object_name(number: int, class_name: str) -> str:
    """What messages call object `number`, counted from 1, of an annotation."""
    return f"object {number} ({shortened(class_name) or 'no class'})"


def dropped_box_problems(image: AnnotatedImage, file: str, reason: str) -> list[Problem]:
    """One problem for each object of an image that is dropped for `reason`, so that no box leaves uncounted."""
    return [
        Problem(
            "box_of_dropped_image",
            file,
            f"{object_name(number, name)}: its image was dropped ({reason})",
            "dropped_box",
            # Without a size they may still be fractions of it.
            box=corners(box) if image.width else None,
        )
        for number, (name, box) in enumerate(zip(image.classes, image.boxes, strict=True), start=1)
    ]


def dropped_images(problems: Iterable[Problem]) -> int:
    """How many annotated images were dropped; those that nobody annotated are left out, not dropped."""
    return sum(p.action == "dropped_image" for p in problems)


def mended_boxes(problems: Iterable[Problem]) -> int:
    """How many boxes were mended by guessing: cut at an edge, corners swapped. Fractions times a size are no guess."""
    return sum(p.action == "fixed_box" and p.kind in ("box_partly_outside", "inverted_box") for p in problems)


def dropped_boxes(problems: Iterable[Problem]) -> int:
    """How many boxes were dropped, those of dropped images included."""
    return sum(p.action == "dropped_box" for p in problems)
