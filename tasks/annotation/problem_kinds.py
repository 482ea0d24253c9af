"""Every kind of problem that data can have, and what a person does about it. docs/data-gate.md explains each."""

from collections.abc import Iterable

from tasks.annotation.dataset import AnnotatedImage, Problem

REMEDIES: dict[str, str] = {
    "unreadable_annotation": "repair the annotation file, or delete it",
    "unreadable_object": "give the object a box of four numbers, or delete it",
    "unknown_class": "name the class in data.yaml or classes.txt, or correct its number",
    "unsupported_result": "draw the object as a rectangle; what describes the whole image is not used",
    "enclosing_box": "check the upright box around it; nothing to do if it fits the object",
    "cancelled_annotation": "nothing to do: the annotator skipped it",
    "superseded_annotation": "nothing to do if the latest annotation is the right one; else delete it",
    "empty_class_name": "name the object's class, or delete the object",
    "missing_image": "add the image, set ingest.images to its folder, or delete the annotation",
    "ambiguous_image": "write the image's folder into the annotation, or rename one of the images",
    "path_outside_root": "put the image under ingest.source or ingest.images (a copy, not a link)",
    "renamed_image": "write the image's real name into the annotation",
    "image_annotated_twice": "merge the annotations of this image, or delete one",
    "image_without_annotation": "annotate the image; if nothing is in it, add an annotation without objects",
    "box_of_dropped_image": "mend what its image was dropped for",
    "unreadable_image": "replace the image (or scale down one that is too large), or delete it with its annotation",
    "size_mismatch": "check that the boxes belong to this version of the image, then correct the size",
    "size_missing": "nothing to do: the size is read from the image",
    "wrong_extension": "rename the file after its real format",
    "not_rgb": "nothing to do: it is converted to RGB for training",
    "exif_rotated": "check that the boxes fit the image as stored, not as viewers turn it",
    "inverted_box": "swap the box's corners",
    "box_outside_image": "move the box into the image, or delete it",
    "box_partly_outside": "end the box at the edge of the image",
    "tiny_box": "draw the box larger, delete it, or lower validate.min_box_side_px",
    "duplicate_box": "delete one of the two boxes",
    "rare_class": "annotate more of this class, correct its spelling, or lower validate.min_boxes_per_class",
    "image_left_empty": "mend the image's boxes",
    "no_objects": "nothing to do if the image really shows none: it is learned from as background",
}


def remedy(problem: Problem) -> str:
    """What to do about it; a data set from elsewhere may bring problems of kinds that are not ours."""
    return REMEDIES.get(problem.kind, "see docs/data-gate.md")


def object_name(number: int, class_name: str) -> str:
    """What messages call the object that stands at place `number`, from 1, in its annotation."""
    return f"object {number} ({class_name or 'no class'})"


def boxes_lost_with(image: AnnotatedImage, file: str, reason: str) -> list[Problem]:
    """One problem for each object of an image that is dropped for `reason`, so that no box leaves uncounted."""
    return [
        Problem(
            "box_of_dropped_image",
            file,
            f"{object_name(number, name)}: its image was dropped ({reason})",
            "dropped_box",
        )
        for number, name in enumerate(image.classes, start=1)
    ]


def dropped_images(problems: Iterable[Problem]) -> int:
    """How many annotated images were dropped; images that nobody annotated were never part of the data."""
    return sum(p.action == "dropped_image" and p.kind != "image_without_annotation" for p in problems)


def dropped_boxes(problems: Iterable[Problem]) -> int:
    """How many boxes were dropped, those of dropped images included."""
    return sum(p.action == "dropped_box" for p in problems)
