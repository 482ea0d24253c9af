"""The whole project, copied and made small enough to train in seconds."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from tasks.detector.model_proto import pipeline_proto
from tasks.detector.pipeline_config import write_pipeline_config
from tasks.model.definitions import MODELS

ROOT = Path(__file__).parents[1]
STEPS = 12


class Project:
    """A copy of the project in a git repository of its own, with a small model and few steps."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        listed = self._output("git", "-C", str(ROOT), "ls-files", "-co", "--exclude-standard", "-z")
        for name in filter(None, listed.split("\0")):
            if (ROOT / name).is_file():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, folder / name)
        self._small()
        for command in (
            ["init", "-q"],
            ["config", "user.name", "A Tester"],
            ["config", "user.email", "tester@example.org"],
            ["add", "-A"],
            ["commit", "-qm", "start"],
        ):
            self._output("git", "-C", str(folder), *command)

    def _small(self) -> None:
        config = pipeline_proto(MODELS["ssd_mobilenet_v2_fpnlite_320x320"])
        config.model.ssd.image_resizer.fixed_shape_resizer.height = 96
        config.model.ssd.image_resizer.fixed_shape_resizer.width = 96
        write_pipeline_config(config, self.folder / "configs" / "small.config")
        self.change("sample", images=30)
        self.change("model", name="configs/small.config")
        self.change("train", steps=STEPS, batch_size=4, warmup_steps=2, eval_every=6, save_every=2)

    def change(self, section: str, **values: object) -> None:
        path = self.folder / "params.yaml"
        params = yaml.safe_load(path.read_text())
        params[section].update(values)
        path.write_text(yaml.safe_dump(params, sort_keys=False))

    def start(self, *command: str) -> "subprocess.Popen[str]":
        # The plainest shell: it does not make way for the command it is given, as bash does.
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**os.environ, "SHELL": "/bin/sh", "PATH": path}
        return subprocess.Popen(
            command, cwd=self.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, *command: str) -> str:
        with self.start(*command) as process:
            output, _ = process.communicate(timeout=900)
        assert process.returncode == 0, output[-5000:]
        return output

    def json(self, path: str) -> dict[str, object]:
        content: dict[str, object] = json.loads((self.folder / path).read_text())
        return content

    @staticmethod
    def _output(*command: str) -> str:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def wait_until(condition: Callable[[], bool], seconds: float, every: float = 0.2) -> None:
    """Return once `condition` holds; fail when it does not within `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(every)
