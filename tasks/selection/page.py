"""suggest.html: the chosen photos as one self-contained page, each with its rank, its reason and what was found."""

import base64
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from tasks.artifacts.suggestions import LEFT_OUT_WORDS, REASON_WORDS, LeftOut, Suggestion, Suggestions
from tasks.dataset.detections import Detections
from tasks.ground.text import counted, printable
from tasks.images.drawing import draw_detections
from tasks.prediction.inputs import Picture, read_pictures
from tasks.report_page.page import render

SIDE_PX = 480
# Below the score from which on boxes are worth showing elsewhere: the doubtful ones are why a photo is here.
LEAST_SCORE, MOST_BOXES = 0.2, 30
_MOST_PICTURES, _MOST_LISTED = 200, 50
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Card:
    """A photo, a small JPEG of it in Base64 (empty where there is none), and why it was chosen."""

    photo: Suggestion
    picture: str
    words: str


def suggestions_page(
    found: Suggestions,
    paths: Mapping[str, Path],
    detections: Mapping[str, Detections],
    classes: Sequence[str],
    command: str,
) -> str:
    """The page.

    Args:
        found: what was chosen.
        paths: of the chosen photos, by their names.
        detections: in them, by their names, in pixels of the upright photo.
        classes: of the detector, in label-map order.
        command: which starts drawing boxes in them.
    """
    pictured = [photo.image for photo in found.photos[:_MOST_PICTURES]]
    pictures = dict(_pictures({paths[name]: detections[name] for name in pictured}, classes))
    content = {
        "lead": lead(found),
        "command": command,
        "cards": [
            Card(photo, pictures.get(str(paths[photo.image]), ""), REASON_WORDS[photo.reason]) for photo in found.photos
        ],
        "least_score": f"{LEAST_SCORE:.1f}",
        "most_boxes": MOST_BOXES,
        "pictured": len(pictured),
        "more": len(found.photos) > len(pictured),
        "left_out": list(by_reason(found.left_out)),
        "most_listed": _MOST_LISTED,
    }
    return render(content, printable, "suggest.html.j2", _HERE)


def lead(found: Suggestions) -> str:
    """How many were chosen from how many, in words."""
    chosen = f"{len(found.photos)} of {counted(found.candidates, 'photo')} in {found.folder}"
    return f"{chosen}, compared with {counted(found.labelled, 'labelled photo')}"


def by_reason(left_out: Sequence[LeftOut]) -> Iterator[tuple[str, list[LeftOut]]]:
    """What was left out, by why, in words."""
    for why, words in LEFT_OUT_WORDS.items():
        rows = [each for each in left_out if each.why == why]
        if rows:
            yield words, rows


def _pictures(detections: Mapping[Path, Detections], classes: Sequence[str]) -> Iterator[tuple[str, str]]:
    for batch in read_pictures(list(detections), 1, 1):
        for picture in batch:
            # A photo that went meanwhile has no picture.
            if isinstance(picture, Picture):
                yield picture.name, _picture(picture.image, detections[Path(picture.name)], classes)


def _picture(image: Image.Image, detections: Detections, classes: Sequence[str]) -> str:
    shown = detections.above(LEAST_SCORE)
    shown = Detections(shown.boxes[:MOST_BOXES], shown.classes[:MOST_BOXES], shown.scores[:MOST_BOXES])
    small = image.copy()
    small.thumbnail((SIDE_PX, SIDE_PX), Image.Resampling.LANCZOS)
    scaled = Detections(shown.boxes * (small.width / image.width), shown.classes, shown.scores)
    content = io.BytesIO()
    draw_detections(small, scaled, classes).save(content, format="JPEG", quality=80)
    return base64.b64encode(content.getvalue()).decode("ascii")
