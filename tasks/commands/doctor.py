"""Finding out what this machine has, what works on it, and what to do about what does not."""

import sys
from pathlib import Path

from tasks.diagnosis.finding import Finding
from tasks.diagnosis.gpus import gpu_findings, known_gpus
from tasks.diagnosis.machine import machine_findings, package_findings
from tasks.diagnosis.services import remote_findings, server_findings
from tasks.diagnosis.trainings import run_trial, training_findings
from tasks.errors import PipelineError
from tasks.ground.text import print_text
from tasks.model.definitions import find_model
from tasks.params import read_params


def doctor(*, params: Path, quick: bool) -> None:
    """Print what was found, and try the model of `params` on each device unless `quick`.

    Raises:
        PipelineError: something does not work; the lines above the message say what. Or `params` is not valid.
    """
    # What is wrong there is no fault of a device's.
    model = read_params(params).model
    find_model(model.name, model.side_px)
    gpus = known_gpus()
    found = _print("machine", machine_findings())
    found += _print("packages", package_findings())
    found += _print("gpus", gpu_findings(gpus))
    if not quick:
        found += _print("training", training_findings(gpus, run_trial(params), _tell))
    found += _print("dvc remote", remote_findings())
    found += _print("prefect", server_findings())
    failed = sum(finding.state == "FAIL" for finding in found)
    if failed:
        raise PipelineError(
            f"{failed} of {len(found)} findings say FAIL: mend them from the top down, then run it again"
        )
    print_text("doctor: all that was tried works" + (" (--quick left training and export out)" if quick else ""))


def _print(title: str, findings: list[Finding]) -> list[Finding]:
    print_text(title)
    for finding in findings:
        print_text(str(finding))
    return findings


def _tell(text: str) -> None:
    print_text(f"doctor: {text} ...", file=sys.stderr)
