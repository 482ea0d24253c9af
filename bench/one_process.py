"""Run one command and write its cost: `python -I -S one_process.py REPORT COMMAND...`; exits as the command does.

A small process of its own, because Linux counts the memory of the starting process as that of the one it starts.
"""

import json
import os
import sys
import time


def main(report: str, command: list[str]) -> int:
    """The command's exit status."""
    started, start = time.time(), time.perf_counter()
    pid = os.posix_spawn(command[0], command, os.environ)
    _, status, usage = os.wait4(pid, 0)
    seconds = time.perf_counter() - start
    # Linux counts in 1,024 bytes, macOS in bytes.
    peak = usage.ru_maxrss * (1024 if sys.platform == "linux" else 1)
    processor = usage.ru_utime + usage.ru_stime
    figures = {"seconds": seconds, "cpu_seconds": processor, "peak_mb": peak / 1e6, "started": started}
    with open(report, "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib would double this process
        json.dump(figures, file)
    return os.waitstatus_to_exitcode(status) & 0xFF


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
