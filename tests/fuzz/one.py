"""Fuzz one parser with atheris, in this process: `python -m tests.fuzz.one TARGET [options of libFuzzer]`."""

import sys
import tempfile
from pathlib import Path

try:
    import atheris
except ImportError:
    sys.exit("atheris is not installed: `make fuzz` installs it")

with atheris.instrument_imports(include=["tasks", "studies", "yaml", "PIL"]):
    from tests.fuzz.targets import TARGETS

# Words that the formats are made of: libFuzzer puts them in.
_DICTIONARY = [
    "annotation", "object", "bndbox", "xmin", "filename", "size", "width", "<!DOCTYPE", "<!ENTITY", "xi:include",
    "images", "annotations", "categories", "image_id", "category_id", "bbox", "file_name", "NaN", "Infinity", "1e999",
    "data", "result", "value", "rectanglelabels", "rotation", "original_width", "names:", "!!python/object", "*a", "&a",
    "item {", "id: 1", "name: 'x'", "parts", "train", "test", "\\\\ud800", "../", "filename,width,height,class,xmin",
    "ctorch\\x0aFloatStorage\\x0a", "IHDR", "IDAT", "zTXt", "tEXt", "acTL", "RIFF", "WEBP", "GIF89a", "II*\\x00",
]  # fmt: skip


def main() -> None:
    """Never returns: libFuzzer ends the process."""
    target = TARGETS[sys.argv[1]]
    with tempfile.TemporaryDirectory() as folder:
        words = Path(folder) / "words.dict"
        escaped = (word.replace('"', '\\"') for word in _DICTIONARY)
        words.write_text("".join(f'"{word}"\n' for word in escaped), encoding="utf-8")

        def one(content: bytes) -> None:
            target.run(content, Path(folder))

        atheris.Setup([sys.argv[0], f"-dict={words}", *sys.argv[2:]], one)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
