"""The folder models/trained: the best and the last checkpoint, the label map, and the summaries beside them."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from tasks.artifacts.training import ModuleAudit, write_freeze_audits, write_restore_summary
from tasks.ground.files import replacing
from tasks.model.label_map import LABEL_MAP
from tasks.training.preparation import PreparedRun
from tasks.training.resume import ResumeFolder, write_checkpoint


def write_trained(
    trained: Path,
    run: PreparedRun,
    folder: ResumeFolder,
    best_step: int,
    audits: Sequence[Sequence[ModuleAudit]],
    records: Path,
) -> None:
    """Write the folder `trained` of a run that has ended; call it inside `run.trainer.as_shipped()`.

    Args:
        trained: replaced whole.
        run: its network holds the last weights.
        folder: holds the best weights.
        best_step: the step of those; 0 where there are none, and the last count as the best.
        audits: of freezing, for each phase its modules.
        records: holds the label map.

    Raises:
        TrainingError: a checkpoint could not be written.
    """
    with replacing(trained, own_folder=True) as partial:
        (partial / "best").mkdir(parents=True)
        (partial / "last").mkdir()
        write_checkpoint(run.trainer.weights, partial / "last" / "ckpt-0")
        best = folder.best(best_step) if best_step else partial / "last" / "ckpt-0"
        for file in best.parent.glob(f"{best.name}.*"):
            shutil.copy(file, partial / "best" / file.name.replace(best.name, "ckpt-0", 1))
        shutil.copy(records / LABEL_MAP, partial)
        write_restore_summary(partial, run.restored.summary())
        write_freeze_audits(partial, audits)
