"""Every kind of problem that data can have, and what is done about it. docs/data-gate.md explains each."""

from collections.abc import Iterable
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
        grave: whether `validate.on_problem: fail` stops for it.
        mendable_box: whether it is of a box that `validate.on_problem: drop` drops rather than mends.
    """

    remedy: str
    actions: tuple[Action, ...]
    grave: bool = True
    mendable_box: bool = False


def _lost(remedy: str) -> Kind:
    return Kind(remedy, ("drop",))


def _told(remedy: str) -> Kind:
    return Kind(remedy, ("keep",), grave=False)


def _kept(remedy: str) -> Kind:
    return Kind(remedy, ("keep", "drop", "fail"), grave=False)


def _dropped(remedy: str) -> Kind:
    return Kind(remedy, ("drop", "fail"))


def _mended_box(remedy: str) -> Kind:
    return Kind(remedy, ("fix", "drop", "fail"), mendable_box=True)


KINDS: dict[str, Kind] = {
    # Found by `ingest`.
    "unreadable_annotation": _lost("repair the annotation file, or delete it"),
    "unreadable_object": _lost("give the object a box of four numbers, or delete it"),
    "unknown_class": _lost("name the class in data.yaml or classes.txt, or correct its number"),
    "unsupported_result": _lost("draw the object as a rectangle; what describes the whole image is not used"),
    "enclosing_box": _told("check the upright box around it; nothing to do if it fits the object"),
    "cancelled_annotation": _told("nothing to do: the annotator skipped it"),
    "superseded_annotation": _told("nothing to do if the latest annotation is the right one; else delete it"),
    "empty_class_name": _lost("name the object's class, or delete the object"),
    "missing_image": _lost("add the image, set ingest.images to its folder, or delete the annotation"),
    "ambiguous_image": _lost("write the image's folder into the annotation, or rename one of the images"),
    "path_outside_root": _lost("put the image under ingest.source or ingest.images (a copy, not a link)"),
    "renamed_image": _told("write the image's real name into the annotation"),
    "image_annotated_twice": _lost("merge the annotations of this image, or delete one"),
    "image_without_annotation": _told("annotate the image; if nothing is in it, add an annotation without objects"),
    "box_of_dropped_image": _lost("mend what its image was dropped for"),
    # Images.
    "unreadable_image": _dropped("replace the image (or scale down one that is too large), or delete it"),
    "size_mismatch": Kind(
        "check that the boxes belong to this version of the image, then correct the size", ("fix", "drop", "fail")
    ),
    "size_missing": Kind("nothing to do: the size is read from the image", ("fix", "drop", "fail"), grave=False),
    "wrong_extension": _kept("rename the file after its real format"),
    "not_rgb": _kept("nothing to do: it is converted to RGB for training"),
    "animated_image": _kept("save the frame that the boxes belong to as an image of its own"),
    "exif_rotated": Kind(
        "check that the boxes fit the image as stored, not as viewers turn it", ("fix", "drop", "fail"), grave=False
    ),
    "no_objects": _kept("nothing to do if the image really shows none: it is learned from as background"),
    "image_left_empty": _lost("mend the image's boxes"),
    "copies_annotated_differently": Kind(
        "make the annotations of the copies equal, or delete one copy", ("keep", "fail"), grave=False
    ),
    # Boxes and classes.
    "inverted_box": _mended_box("swap the box's corners"),
    "normalised_box": _mended_box("write the box in pixels"),
    "boxes_look_like_xywh": Kind("write the boxes as xmin, ymin, xmax, ymax", ("fail", "keep")),
    "box_outside_image": _dropped("move the box into the image, or delete it"),
    "box_partly_outside": _mended_box("end the box at the edge of the image"),
    "tiny_box": _dropped("draw the box larger, delete it, or lower validate.min_box_side_px"),
    "duplicate_box": Kind("delete one of the two boxes", ("drop", "keep", "fail")),
    "box_covers_image": _kept("nothing to do if the object fills the image; else draw the box around the object"),
    "box_below_resolution": _kept("take a model with a larger input, crop the images, or delete the box"),
    "rare_class": Kind(
        "annotate more of this class, correct its spelling, or lower validate.min_boxes_per_class",
        ("drop", "keep", "fail"),
    ),
    "class_name_variant": Kind("spell the class one way", ("fix", "keep", "fail")),
    "similar_class_names": Kind(
        "correct the spelling, or leave it if they are two classes", ("keep", "fail"), grave=False
    ),
}


def remedy(problem: Problem) -> str:
    """What to do about it; a data set from elsewhere may bring problems of kinds that are not ours."""
    kind = KINDS.get(problem.kind)
    return kind.remedy if kind else "see docs/data-gate.md"


def object_name(number: int, class_name: str) -> str:
    """What messages call the object that stands at place `number`, from 1, in its annotation."""
    return f"object {number} ({shortened(class_name) or 'no class'})"


def boxes_lost_with(image: AnnotatedImage, file: str, reason: str) -> list[Problem]:
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


def dropped_boxes(problems: Iterable[Problem]) -> int:
    """How many boxes were dropped, those of dropped images included."""
    return sum(p.action == "dropped_box" for p in problems)
