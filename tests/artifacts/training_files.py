"""What the train stage writes, of a run that never was."""

from typing import Any

from tasks.artifacts.training import ModuleAudit, TrainingFigures


def figures_of_a_run(**changes: Any) -> TrainingFigures:
    """The content of metrics/train.json, `changes` made."""
    figures = {
        "steps": 300,
        "stopped_by": "steps",
        "best_step": 200,
        "best_mAP": 0.25,
        "loss": 1.5,
        "step_ms_median": 300.0,
        "images_per_s": 80.0,
        "clipped_steps": 2,
        "seconds": 100.0,
        "startup_s": 20.0,
        "waiting_s": 3.0,
        "validating_s": 4.0,
        "peak_memory_mb": 2000.0,
        "batch_size": 24,
        "trainable_variables": 7,
        "frozen_variables": 0,
        "frozen_max_abs_change": 0.0,
        "frozen_statistics_max_abs_change": 0.0,
        "modules": {"tower": {"trainable": 7, "frozen": 0}},
    }
    return TrainingFigures.model_validate(figures | changes)


def module_audit(**changes: Any) -> ModuleAudit:
    """A row of freeze.json, `changes` made."""
    row = {
        "module": "tower",
        "parameters": 9,
        "frozen_parameters": 0,
        "trained": 1,
        "frozen": 0,
        "unchanged": 0,
        "trained_max_abs_change": 0.5,
        "frozen_max_abs_change": 0.0,
        "frozen_statistics_max_abs_change": 0.0,
    }
    return ModuleAudit.model_validate(row | changes)
