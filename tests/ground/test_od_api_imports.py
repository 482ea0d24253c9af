"""What the OD API finds when it imports: each test in a process of its own, as imports cannot be undone."""

import platform
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest

from tasks.ground.od_api_imports import _refuse_without_avx, fuses_slowly
from tests.small_project import ROOT

PREPARED = "from tasks.ground.od_api_imports import prepare_imports\nprepare_imports()\n"


def run(script: str, path: Path = ROOT, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", PREPARED + script],
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": f"{path}:{ROOT}", "TF_CPP_MIN_LOG_LEVEL": "3", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def printed(script: str, **environment: str) -> str:
    done = run(script, ROOT, **environment)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.strip()


def test_the_od_api_gets_keras_2_by_every_name_and_it_is_one() -> None:
    assert (
        printed(
            "import tensorflow as tf, tf_keras, keras\n"
            "from keras.applications import resnet\n"
            "from object_detection.models.keras_models import resnet_v1\n"
            "assert keras.layers.Layer is tf_keras.layers.Layer is tf.keras.layers.Layer\n"
            "assert resnet is tf_keras.applications.resnet is resnet_v1.resnet\n"
            "print(keras.__version__, tf_keras.__spec__.name, keras.applications.__spec__.name)"
        )
        == "2.21.0 tf_keras tf_keras.applications"
    )


def test_estimators_are_a_name_and_nothing_more() -> None:
    assert (
        printed(
            "from tensorflow.compat.v1 import estimator\n"
            "import object_detection.inputs\n"
            "print(estimator.ModeKeys.PREDICT, [name for name in vars(estimator) if name[0] != '_'])"
        )
        == "infer ['ModeKeys']"
    )


def test_what_no_detector_needs_is_loaded_when_it_is_used() -> None:
    """matplotlib and scipy.optimize take a part of the time until the first step."""
    assert (
        printed(
            "import sys\n"
            "from tasks.detector import network\n"
            "late = ('matplotlib.pyplot', 'scipy.optimize')\n"
            "assert not [name for name in late if name in sys.modules]\n"
            "from object_detection.matchers.hungarian_matcher import HungarianBipartiteMatcher\n"
            "from object_detection.utils import visualization_utils\n"
            "assert callable(visualization_utils.draw_bounding_box_on_image)\n"
            "print([name for name in late if name in sys.modules])"
        )
        == "['matplotlib.pyplot', 'scipy.optimize']"
    )


@pytest.mark.parametrize(("given", "used"), [({}, "1"), ({"TF_ENABLE_ONEDNN_OPTS": "0"}, "0")])
def test_onednn_is_on_unless_the_user_has_switched_it_off(given: dict[str, str], used: str) -> None:
    assert printed("import os; print(os.environ['TF_ENABLE_ONEDNN_OPTS'])", **given) == used


OF_DEVICES = (
    "WARNING: All log messages before absl::InitializeLog() is called\nI0000 00:00:17 port.cc:153] no CUDA here\n"
)


@pytest.fixture
def chatty(tmp_path: Path) -> Path:
    """A folder with a TensorFlow that writes past Python while it is imported, and fails where FAIL is set."""
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text(
        f"import os\nos.write(2, {OF_DEVICES.encode()!r})\n"
        "if 'FAIL' in os.environ: raise ImportError('damaged')\n"
        "if 'OTHERS' in os.environ: os.write(2, b'a thread has ended\\n')\n"
        "class config:\n    class optimizer:\n        set_experimental_options = dict\n"
    )
    return tmp_path


def test_what_tensorflow_says_about_devices_while_it_is_imported_is_kept_back(chatty: Path) -> None:
    done = run("import tensorflow, sys; print('fine', file=sys.stderr)", chatty)
    assert (done.returncode, done.stderr) == (0, "fine\n")


def test_what_others_say_meanwhile_is_not(chatty: Path) -> None:
    assert run("import tensorflow", chatty, OTHERS="1").stderr == "a thread has ended\n"


def test_it_is_shown_to_those_who_asked_for_it(chatty: Path) -> None:
    assert run("import tensorflow", chatty, TF_CPP_MIN_LOG_LEVEL="0").stderr == OF_DEVICES


def test_it_is_shown_when_the_import_fails(chatty: Path) -> None:
    done = run("import tensorflow", chatty, FAIL="1")
    assert done.returncode == 1
    assert done.stderr.startswith(OF_DEVICES)
    assert done.stderr.endswith("ImportError: damaged\n")


def test_no_standard_error_is_no_fault(chatty: Path) -> None:
    assert run("import sys; sys.stderr = None; import tensorflow; print('fine')", chatty).stdout == "fine\n"


@pytest.mark.parametrize(
    ("machine", "flags", "refused"),
    [("x86_64", "sse avx2", True), ("x86_64", "sse avx avx2", False), ("aarch64", "asimd", False)],
)
def test_a_processor_without_avx_is_refused_before_it_is_too_late(
    machine: str, flags: str, refused: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    with pytest.raises(ImportError, match="needs a processor with AVX") if refused else nullcontext():
        _refuse_without_avx(tmp_path / "cpuinfo")


@pytest.mark.parametrize(
    ("machine", "flags", "onednn", "slow"),
    [
        ("x86_64", "sse avx avx2", "1", True),
        ("x86_64", "sse avx avx2", "TRUE", True),
        ("x86_64", "sse avx avx2", "0", False),
        ("x86_64", "sse avx avx2", "False", False),
        ("x86_64", "sse avx avx2 avx512f avx512_vnni", "1", False),
        ("aarch64", "asimd", "1", False),
    ],
)
def test_operations_are_fused_where_that_is_fast(
    machine: str, flags: str, onednn: str, slow: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", onednn)
    (tmp_path / "cpuinfo").write_text(f"processor\t: 0\nflags\t\t: {flags}\n")
    assert fuses_slowly(tmp_path / "cpuinfo") is slow


@pytest.mark.parametrize("slow", [True, False])
def test_tensorflow_is_told(slow: bool) -> None:
    script = (
        f"from tasks.ground import od_api_imports\nod_api_imports.fuses_slowly = lambda: {slow}\n"
        "import tensorflow as tf\nprint(tf.config.optimizer.get_experimental_options().get('remapping'))"
    )
    assert printed(script) == ("False" if slow else "None")
