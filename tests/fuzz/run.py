"""Fuzz the parsers, led by the code that inputs reach: `python -m tests.fuzz.run --seconds 60 [TARGET...]`.

Each parser gets a process of its own, for so many seconds. What it was fed that reached new code stays in .fuzz/ and is
where the next run starts; an input on which it fell over is kept there, too, and belongs into the corpus of malformed
inputs once the bug is mended.
"""

import argparse
import re
import subprocess
import sys
from pathlib import Path

from tests.fuzz.targets import TARGETS

_KEPT = Path(".fuzz")
_MAX_INPUT_BYTES = 20_000
_MAX_MB = 1000
_MAX_SECONDS_AN_INPUT = 10


def main() -> int:
    """Fuzz one parser after the other and print how many inputs each was tried with; 1 where one fell over."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run", description=__doc__)
    parser.add_argument("--seconds", type=int, default=60, help="for each parser; default: 60")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"default: all of {', '.join(TARGETS)}")
    args = parser.parse_args()
    if unknown := set(args.targets) - TARGETS.keys():
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    print(f"{'parser':<16}{'inputs':>10}{'reached':>10}{'failures':>10}")
    fallen = sum(_fuzz(name, args.seconds) for name in args.targets or TARGETS)
    return 1 if fallen else 0


def _fuzz(name: str, seconds: int) -> int:
    """How many inputs were kept as failures."""
    corpus, failures = (_KEPT / name / kind for kind in ("corpus", "failures"))
    for folder in (corpus, failures):
        folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(TARGETS[name].seeds()):
        (corpus / f"seed-{number:03}").write_bytes(seed)
    before = set(failures.iterdir())
    log = _KEPT / name / "log.txt"
    command = [
        sys.executable, "-m", "tests.fuzz.one", name, f"-max_total_time={seconds}", f"-max_len={_MAX_INPUT_BYTES}",
        f"-timeout={_MAX_SECONDS_AN_INPUT}", f"-rss_limit_mb={_MAX_MB}", "-print_final_stats=1",
        f"-artifact_prefix={failures}/", str(corpus),
    ]  # fmt: skip
    with log.open("wb") as file:
        status = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False).returncode
    output = log.read_text(encoding="utf-8", errors="replace")
    reached = re.findall(r"\bft: (\d+)", output)
    tried = re.search(r"number_of_executed_units: *(\d+)", output)
    new = sorted(set(failures.iterdir()) - before)
    print(f"{name:<16}{tried[1] if tried else '?':>10}{reached[-1] if reached else '?':>10}{len(new):>10}", flush=True)
    for path in new:
        print(f"  {path}: see {log}")
    if status and not new:
        print(f"  the fuzzer ended with {status}: see {log}")
    return len(new) or int(status != 0)


if __name__ == "__main__":
    sys.exit(main())
