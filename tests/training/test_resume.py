import subprocess
import sys
from pathlib import Path

import pytest
import tensorflow as tf

from tasks.errors import TrainingError
from tasks.training.progress import HistoryRow, Progress
from tasks.training.resume import ResumeFolder, run_key, write_checkpoint
from tests.training.history import step_row, validation_row
from tests.training.train_params import train_params


def state(value: float) -> tf.train.Checkpoint:
    return tf.train.Checkpoint(weight=tf.Variable(value))


def test_the_state_that_was_saved_last_is_restored(tmp_path: Path) -> None:
    folder = ResumeFolder(tmp_path, "run")
    history: list[HistoryRow] = [step_row(10), validation_row(10), step_row(20)]
    with folder.lock():
        for step in (10, 20):
            folder.save(state(float(step)), Progress(step=step, seconds=1.5, history=[*history]))
    loaded = state(0.0)
    with ResumeFolder(tmp_path, "run").lock():
        progress = ResumeFolder(tmp_path, "run").restore(loaded)
    assert progress == Progress(step=20, seconds=1.5, history=[*history])
    assert float(loaded.weight) == 20.0
    assert not list(tmp_path.rglob("state-10*"))


def test_a_state_that_current_json_does_not_name_yet_is_not_restored(tmp_path: Path) -> None:
    folder = ResumeFolder(tmp_path, "run")
    with folder.lock():
        folder.save(state(10.0), Progress(step=10))
        state(20.0).write(str(tmp_path / "run" / "state-20"))  # killed before current.json was renamed
        loaded = state(0.0)
        assert folder.restore(loaded).step == 10
    assert float(loaded.weight) == 10.0


def test_another_run_starts_clean_and_removes_the_states_of_the_last_one(tmp_path: Path) -> None:
    first, second = (ResumeFolder(tmp_path, letter * 16) for letter in "ab")
    with first.lock():
        first.save(state(1.0), Progress(step=1))
    (tmp_path / "photos").mkdir()
    with second.lock():
        assert second.restore(state(0.0)) == Progress()
        assert not (tmp_path / ("a" * 16)).exists()
        assert (tmp_path / "photos").exists()


def test_a_second_trainer_is_refused_and_a_killed_one_leaves_no_lock(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from tasks.training.resume import ResumeFolder\n"
        f"with ResumeFolder(Path({str(tmp_path)!r}), 'run').lock(): print('held', flush=True); time.sleep(60)"
    )
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=root) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(TrainingError, match="another training process"), ResumeFolder(tmp_path, "run").lock():
            pass
        holder.kill()
        holder.wait()
        with ResumeFolder(tmp_path, "run").lock():
            assert (tmp_path / "run").is_dir()


def test_only_the_latest_best_weights_are_kept(tmp_path: Path) -> None:
    folder = ResumeFolder(tmp_path, "run")
    with folder.lock():
        for step in (10, 20):
            folder.save_best(state(float(step)), step)
        folder.forget_old_best(20)
        assert {path.name.split(".")[0] for path in (tmp_path / "run").iterdir()} == {"best-20"}
        loaded = state(0.0)
        loaded.read(str(folder.best(20)))
        assert float(loaded.weight) == 20.0


def test_a_checkpoint_that_cannot_be_written_is_an_error_with_a_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(TrainingError, match=r"file/state-1: could not be written .*: free space on the disk"):
        write_checkpoint(tf.train.Checkpoint(v=tf.Variable(1.0)), tmp_path / "file" / "state-1")


def test_the_leftovers_of_an_interrupted_write_are_removed_by_the_next(tmp_path: Path) -> None:
    folder = ResumeFolder(tmp_path, "key")
    left = tmp_path / "key" / "state-4_temp" / "part-00000-of-00001.data-00000-of-00001.tempstate1"
    with folder.lock():
        left.parent.mkdir()
        left.write_text("half")
        folder.save(tf.train.Checkpoint(v=tf.Variable(1.0)), Progress(step=6))
    assert not left.parent.exists()
    assert (tmp_path / "key" / "current.json").exists()


def test_another_tensorflow_or_onednn_is_another_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its state would be read, and the rest of the run computed otherwise."""
    config = tmp_path / "pipeline.config"
    config.write_text("")
    (tmp_path / "records").mkdir()

    def key() -> str:
        return run_key(train_params(), config, tmp_path / "records", tmp_path / "base")

    first = key()
    assert key() == first
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    other = key()
    monkeypatch.setattr(tf, "__version__", "2.99.0")
    assert len({first, other, key()}) == 3
