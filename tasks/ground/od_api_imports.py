"""What must be in place before TensorFlow and the Object Detection API are imported: each room that does calls for it.

The OD API was written for TensorFlow 2.15. On TensorFlow 2.21 three of its imports find nothing, or the wrong thing:

- `keras` would be Keras 3, where Keras 2 is needed: the name gives the package `tf_keras` here, as `tf.keras` does.
- `tensorflow.compat.v1.estimator`, which is gone: an empty module with the one class that is named when it is imported.
- `tensorflow_io`, which one model (DeepMAC) imports and no supported one uses: an empty module.

None of its files is changed, and nothing is imported before somebody asks for it.

TensorFlow 2.21 also prints lines about CUDA and oneDNN while it is imported, whatever `TF_CPP_MIN_LOG_LEVEL` says
(TensorFlow's issue 100442). Where that is 3 they are kept back, and shown when the import fails. So that the one that
matters is not lost with them, a processor that TensorFlow would end at is refused first.

oneDNN 3.7, which TensorFlow 2.21 computes with, takes tens of milliseconds for a convolution that is fused with the
normalisation after it, on processors without AVX-512: the SavedModel of a MobileNet took some thirty times as long as
without fusing (docs/this-machine.md). TensorFlow's remapper fuses them, so it is switched off there.
"""

import importlib
import os
import platform
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from pathlib import Path
from types import ModuleType

# What is imported by the way, and not used to train, export or run a detector: it brings matplotlib and scipy.optimize.
_LATER = ("object_detection.utils.visualization_utils", "object_detection.matchers.hungarian_matcher")
# The lines of TensorFlow's own log, and the one line that one of them goes on with.
_OF_DEVICES = re.compile(
    rb"[IWEF]0000 |WARNING: All log messages before absl|To enable the following instructions: |\s*$"
)
CPUINFO = Path("/proc/cpuinfo")
_ESTIMATORS = ("tensorflow.compat.v1.estimator", "tensorflow._api.v2.compat.v1.estimator")


def prepare_imports() -> None:
    """Let TensorFlow and the OD API be imported as they are, by whoever imports them next.

    TensorFlow reads these variables while it is imported. It leaves oneDNN, which computes a training step in a half to
    three quarters of the time on a CPU, switched off on older CPUs; what the user has set is left.
    """
    os.environ["TF_USE_LEGACY_KERAS"] = "1"
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == "keras" or name.startswith("keras."):
            return ModuleSpec(name, _AnotherName(f"tf_{name}"))
        if name in _ESTIMATORS:
            return ModuleSpec(name, _Estimator())
        if name == "tensorflow_io":
            return ModuleSpec(name, _Empty())
        if name == "tensorflow":
            return _prepared(PathFinder.find_spec(name, path))
        if name in _LATER:
            return _when_used(PathFinder.find_spec(name, path))
        return None


class _AnotherName(Loader):
    """Gives a module that has another name: there is one of each class, whichever name it was asked for by."""

    def __init__(self, name: str) -> None:
        self._name = name

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        # Python has just put the other name's in its place, with which imports inside the package would go wrong.
        module.__spec__ = self._spec


class _Empty(Loader):
    def create_module(self, spec: ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        pass


class _Estimator(_Empty):
    def exec_module(self, module: ModuleType) -> None:
        # Named in default arguments: the values are those of TensorFlow 2.15's tf.estimator.ModeKeys.
        module.ModeKeys = type("ModeKeys", (), {"TRAIN": "train", "EVAL": "eval", "PREDICT": "infer"})  # type: ignore[attr-defined]


def _when_used(spec: ModuleSpec | None) -> ModuleSpec | None:
    if spec is not None and spec.loader is not None:
        spec.loader = LazyLoader(spec.loader)
    return spec


def _prepared(spec: ModuleSpec | None) -> ModuleSpec | None:
    if spec is None or spec.loader is None:
        return spec
    execute = spec.loader.exec_module

    def execute_prepared(module: ModuleType) -> None:
        if os.environ.get("TF_CPP_MIN_LOG_LEVEL") == "3":
            _refuse_without_avx()
            with _stderr_aside():
                execute(module)
        else:
            execute(module)
        if fuses_slowly():
            module.config.optimizer.set_experimental_options({"remapping": False})

    spec.loader.exec_module = execute_prepared  # type: ignore[method-assign]
    return spec


def onednn_is_on() -> bool:
    """Whether TensorFlow computes, or will, with oneDNN: it reads this variable while it is imported."""
    return os.environ.get("TF_ENABLE_ONEDNN_OPTS", "1").lower() not in ("0", "false")


def fuses_slowly(cpuinfo: Path = CPUINFO) -> bool:
    """Whether convolutions fused with what follows are slow here: with oneDNN, on an x86-64 without AVX-512."""
    return onednn_is_on() and _lacks("avx512f", cpuinfo)


def lacks_avx(cpuinfo: Path = CPUINFO) -> bool:
    """Whether this is a processor of x86-64 that TensorFlow cannot run on; where Linux does not tell, it is none."""
    return _lacks("avx", cpuinfo)


def _lacks(flag: str, cpuinfo: Path) -> bool:
    if platform.machine() != "x86_64" or not cpuinfo.exists():
        return False
    return not re.search(rf"^flags\b.*\b{flag}\b", cpuinfo.read_text(errors="replace"), re.M)


def _refuse_without_avx(cpuinfo: Path = CPUINFO) -> None:
    """TensorFlow would end the process, and what it says then would be among what is kept back."""
    if lacks_avx(cpuinfo):
        raise ImportError("TensorFlow needs a processor with AVX, and this one has none: take another machine")


@contextmanager
def _stderr_aside() -> Iterator[None]:
    """Keep back what TensorFlow says of devices on standard error; show all of it where the body fails.

    What others write there meanwhile is shown at the end.
    """
    if sys.stderr is not None:
        sys.stderr.flush()
    try:
        shown = os.dup(2)
    except OSError:  # there is no standard error
        yield
        return
    expected: re.Pattern[bytes] | None = None
    try:
        with tempfile.TemporaryFile() as aside:
            os.dup2(aside.fileno(), 2)
            try:
                yield
                expected = _OF_DEVICES
            finally:
                os.dup2(shown, 2)
                aside.seek(0)
                for line in aside:
                    if not (expected and expected.match(line)):
                        os.write(2, line)
    finally:
        os.close(shown)
