"""The client for TensorFlow Serving in docs/deploying.md, run as it stands against an answer of the server's form."""

import io
import json
import re
import urllib.request
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

PAGE = Path(__file__).parents[1] / "docs" / "deploying.md"


def test_the_client_sends_the_photo_upright(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), flags=re.DOTALL)
    upright = np.arange(4 * 2 * 3, dtype=np.uint8).reshape(4, 2, 3)
    exif = Image.Exif()
    exif[0x0112] = 6
    # Of an upright photo, orientation 6 stores what is turned by 90 degrees to the left.
    Image.fromarray(np.rot90(upright)).save(tmp_path / "photo.jpg", format="PNG", exif=exif)
    sent: list[bytes] = []

    def urlopen(address: str, body: bytes) -> io.BytesIO:
        assert address.endswith("/v1/models/detector:predict")
        sent.append(body)
        found = {"detection_boxes": [[0, 0, 1, 1]], "detection_classes": [2], "detection_scores": [0.5]}
        return io.BytesIO(json.dumps({"predictions": [found]}).encode())

    monkeypatch.setattr(urllib.request, "urlopen", urlopen)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, str(PAGE), "exec"), {})  # noqa: S102 - our own page
    np.testing.assert_array_equal(json.loads(sent[0])["instances"], [upright])
    assert capsys.readouterr().out == "[0, 0, 1, 1] 2 0.5\n"
