"""Stage validate: the gate before any GPU time. Every image is decoded, every box checked, every fault counted.

`validate.on_problem` decides: `fix` repairs what can be repaired and drops the rest, `drop` drops every faulty box,
`fail` stops; `validate.policy` decides for single kinds of problems. docs/data-gate.md explains the kinds.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from tasks.artifacts.gate import write_gate_counts
from tasks.dataset.coco_json import read_stage_coco, write_coco
from tasks.gate.all_checks import check_dataset
from tasks.gate.counts import gate_counts
from tasks.gate.limits import refuse_large_losses, refuse_many_fixes, refuse_problems
from tasks.gate.policy import Policy
from tasks.gate.problem_table import problem_table
from tasks.ground.text import print_text
from tasks.model.definitions import input_resizer

if TYPE_CHECKING:
    from tasks.params import ModelParams, ValidateParams


def validate(
    params: "ValidateParams", model: "ModelParams", *, ingested: Path, validated: Path, metrics_data: Path
) -> dict[str, int]:
    """Check what `ingested` lists; write what passed to `validated` and the counts to `metrics_data`.

    Raises:
        ParamsError: `validate.policy` names an unknown kind, or an action that its kind does not have.
        DataError: an image changed since it was ingested, a problem for which the policy is to fail, more dropped than
            `max_dropped_fraction` or fixed than `max_fixed_fraction`, or nothing left.
    """
    policy = Policy(params.on_problem, params.policy)
    checked = check_dataset(
        read_stage_coco(ingested, "ingest"), params, policy, input_resizer(model.name, model.side_px)
    )
    counts = gate_counts(checked)
    print_text(problem_table(checked.problems, policy))
    refuse_problems(checked.problems, policy)
    refuse_large_losses(checked, params)
    refuse_many_fixes(checked, params)
    write_coco(checked, validated)
    write_gate_counts(metrics_data, counts)
    return counts.model_dump(include={"images", "boxes", "dropped_images", "dropped_boxes", "fixed_boxes"})
