"""Steps, warm-up, decay and batch size against each other and against the number of training images."""

import math
from typing import TYPE_CHECKING

from tasks.artifacts.lint import Finding
from tasks.model.schedule import Phase, decay_end_step, phases_of, total_steps

if TYPE_CHECKING:
    from tasks.params import TrainParams

# The zoo's warm-up takes 2 to 8 % of its steps (1,000 of 50,000 and 2,000 of 25,000); a third is far more.
WARMUP_SHARE = 1 / 3
# Fine-tuning here takes 10 to 100 epochs; a network that has seen an image 500 times can know it by heart.
MANY_EPOCHS = 500


def check_schedule(train: "TrainParams") -> list[Finding]:
    """Warm-up, decay, validations and checkpoints against the steps of each phase and of all."""
    findings = [_warmup_finding(phase) for phase in phases_of(train) if _is_warmup_long(phase)]
    if decay_end_step(train) != train.steps:
        findings.append(_decay_finding(train))
    # Before a second phase, there is a validation, and all is saved.
    steps = train.steps if train.second_phase == "off" else math.inf
    if train.eval_every > steps:
        findings.append(
            Finding(
                "info",
                "train.eval_every",
                str(train.eval_every),
                f"more than train.steps {steps}: the only validation is at the end, so that the last checkpoint "
                "counts as the best",
            )
        )
    if train.save_every > steps:
        findings.append(
            Finding(
                "info",
                "train.save_every",
                str(train.save_every),
                f"more than train.steps {steps}: nothing is saved before the end, and a killed run starts over",
            )
        )
    return findings


def _is_warmup_long(phase: Phase) -> bool:
    return phase.params.warmup_steps >= WARMUP_SHARE * phase.params.steps


def _warmup_finding(phase: Phase) -> Finding:
    return Finding(
        "warning",
        "train.warmup_steps",
        str(phase.params.warmup_steps),
        f"a third of {phase.section}.steps {phase.params.steps} or more: the rate hardly reaches "
        f"{phase.section}.learning_rate before it falls",
        f"try {phase.params.steps // 10}",
    )


def _decay_finding(train: "TrainParams") -> Finding:
    if decay_end_step(train) < train.steps:
        idle = train.steps - decay_end_step(train)
        outcome = f"the rate is 0 for the last {idle} of {train.steps} steps, which change nothing"
    else:
        outcome = (
            f"after train.steps {train.steps} the rate is {last_rate_share(train):.0%} of train.learning_rate: the "
            "last steps jump around the minimum that they should settle in"
        )
    return Finding("warning", "train.decay_steps", str(train.decay_steps), outcome, "try null, which is train.steps")


def last_rate_share(train: "TrainParams") -> float:
    """The share of `train.learning_rate` at the last step."""
    warmup = min(train.warmup_steps, decay_end_step(train) - 1)
    if train.steps <= warmup:
        return 0.1 + 0.9 * train.steps / warmup
    progress = min(1.0, (train.steps - warmup) / (decay_end_step(train) - warmup))
    return 0.5 * (1.0 + math.cos(math.pi * progress))


def check_amount(train: "TrainParams", images: int) -> list[Finding]:
    """How often the run sees each training image; there are `images` of them, at least 1."""
    findings = []
    seen = total_steps(train) * train.batch_size
    if train.batch_size > images:
        findings.append(
            Finding(
                "warning",
                "train.batch_size",
                str(train.batch_size),
                f"there are only {images} training images: batches are filled with the same images again",
                f"set it to {images} or less",
            )
        )
    if seen < images:
        findings.append(
            Finding(
                "warning",
                "train.steps",
                str(train.steps),
                f"with train.batch_size {train.batch_size} that is {seen} of {images} training images: "
                f"{images - seen} are never seen",
                f"set it to {-(-images // train.batch_size)} or more",
            )
        )
    elif seen > MANY_EPOCHS * images:
        findings.append(
            Finding(
                "warning",
                "train.steps",
                str(train.steps),
                f"with train.batch_size {train.batch_size} every one of {images} training images is seen "
                f"{seen / images:.0f} times: the model may memorise them",
                "compare training loss with validation mAP in the report, or lower it",
            )
        )
    return findings
