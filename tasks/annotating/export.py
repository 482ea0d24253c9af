"""Label Studio's tasks and annotations, as its API and its JSON export have them."""

from collections.abc import Sequence

from pydantic import BaseModel, JsonValue

# What drawn boxes and images are called in our projects.
BOXES, IMAGE = "boxes", "image"
# A drawn object, passed on as it came: a rectangle of ours, or what another tool drew.
Region = dict[str, JsonValue]


class Annotation(BaseModel):
    """One annotation of an image.

    Attributes:
        id, created_at: unchanged within one database, whatever becomes of the boxes.
    """

    id: int | None = None
    created_at: str = ""
    updated_at: str = ""
    was_cancelled: bool = False
    result: list[Region]

    def is_in(self, others: Sequence["Annotation"]) -> bool:
        """Whether one of `others` is the same annotation, or a later version of it."""
        return any(self._equals(other) or self._became(other) for other in others)

    def _equals(self, other: "Annotation") -> bool:
        return (self.was_cancelled, self.result) == (other.was_cancelled, other.result)

    def _became(self, other: "Annotation") -> bool:
        is_same = self.created_at and (self.id, self.created_at) == (other.id, other.created_at)
        return bool(is_same and self.updated_at <= other.updated_at)


class TaskData(BaseModel):
    """The data of a task: the image's address on the server, empty in what another project has."""

    image: str = ""


class Task(BaseModel):
    """An image of a project with its annotations."""

    id: int = 0
    data: TaskData
    annotations: list[Annotation]

    @property
    def address(self) -> str:
        """The image's address on the server."""
        return self.data.image
