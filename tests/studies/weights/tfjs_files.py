"""Writing what TensorFlow.js keeps weights in."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def described(name: str, values: np.ndarray, **changes: Any) -> dict[str, Any]:
    """A weight's entry in the manifest."""
    return {"name": name, "shape": list(values.shape), "dtype": values.dtype.name, **changes}


def tfjs_files(manifest: Path, weights: Mapping[str, np.ndarray], *, numbers: str) -> Path:
    """Write `manifest`, and beside it the file `numbers`: eight bits for each float."""
    entries, content = [], b""
    for name, values in weights.items():
        low = float(values.min())
        scale = float(values.max() - low) / 255 or 1.0
        content += np.round((values - low) / scale).astype(np.uint8).tobytes()
        entries.append(described(name, values, quantization={"scale": scale, "min": low, "dtype": "uint8"}))
    manifest.parent.mkdir(parents=True, exist_ok=True)
    manifest.with_name(numbers).write_bytes(content)
    manifest.write_text(json.dumps([{"paths": [numbers], "weights": entries}]))
    return manifest
