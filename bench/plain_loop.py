"""The check that people write by themselves: `python -m bench.plain_loop FOLDER`; one process, Pillow only.

Every XML file is parsed, its image opened and decoded, its size and boxes compared.
"""

import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from PIL import Image


def main(folder: Path) -> int:
    """The number of files that are wrong."""
    images = {path.stem: path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png")}
    wrong = 0
    for path in sorted(folder.rglob("*.xml")):
        root = ET.parse(path).getroot()  # noqa: S314 - what is measured is the loop that people write
        try:
            with Image.open(images[path.stem]) as image:
                image.load()
                width, height = image.size
        except (KeyError, OSError):
            wrong += 1
            continue
        stated = [int(root.findtext(f"size/{side}") or 0) for side in ("width", "height")]
        boxes = [
            [float(box.findtext(tag) or 0) for tag in ("xmin", "ymin", "xmax", "ymax")] for box in root.iter("bndbox")
        ]
        inside = all(0 <= x1 < x2 <= width and 0 <= y1 < y2 <= height for x1, y1, x2, y2 in boxes)
        wrong += stated != [width, height] or not inside
    return wrong


if __name__ == "__main__":
    print(main(Path(sys.argv[1])), "files are wrong")
