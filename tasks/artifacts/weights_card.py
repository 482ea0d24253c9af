"""The card of a file in weights/: what the arrays are, on what terms, how they were made, what was measured."""

from pydantic import JsonValue

from tasks.artifacts.artifact import Artifact


class WeightsCard(Artifact):
    """What a file of weights is.

    Attributes:
        name: of the file, without its ending.
        contents: which components of a network it fills, in words.
        origin, licence: for people.
        source_sha256: of the file that it was converted from; None where it was trained here.
        sha256, bytes: of the file.
        arrays, parameters: how many it holds.
        float32_arrays: keys of those that are not float16.
        classes: of its class head, in the order of their ids; empty without a class head.
        fits: the values of `model.name` that `checkpoint.source` gives it to.
        how, result: how it was made and what was measured, in words.
        made, measured: the same in values.
    """

    name: str
    contents: str
    origin: str
    licence: str
    source_sha256: str | None
    sha256: str
    bytes: int
    arrays: int
    parameters: int
    float32_arrays: list[str]
    classes: list[str]
    fits: list[str]
    how: str
    result: str
    made: dict[str, JsonValue]
    measured: dict[str, JsonValue]

    def markdown(self) -> str:
        """The card for people."""
        lines = [
            f"# {self.name}\n\n{self.contents}:\n{self.origin}.\n",
            f"- **For** {', '.join(f'`{model}`' for model in self.fits)}.",
            *([f"- **Classes** {', '.join(self.classes)}."] if self.classes else []),
            f"- **How** {self.how}.",
            f"- **Measured** {self.result}.",
            f"- **File** {self.bytes} bytes, {self.arrays} arrays, {self.parameters} parameters, float16 but for "
            f"{len(self.float32_arrays)} arrays. SHA-256 `{self.sha256}`.",
            *([f"- **Source** SHA-256 `{self.source_sha256}`."] if self.source_sha256 else []),
            f"- **Licence** {self.licence}.",
        ]
        return "\n".join(lines) + "\n"
