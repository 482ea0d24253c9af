"""The options of commands that look after a project: summary, clean, cache, check, doctor."""

from tasks.parsers.shared import Commands, add_command, add_params


def add_housekeeping(commands: Commands) -> None:
    """All of them."""
    summary = add_command(commands, "summary", "print the figures of the last run", example="summary")
    add_params(summary, "its section: paths")
    clean = add_command(commands, "clean", "remove what the stages wrote, and nothing else", example="clean --dry-run")
    clean.add_argument("--dry-run", action="store_true", help="print what would be removed, and remove nothing")
    add_params(clean, "its section: paths")
    cache = add_command(
        commands, "cache", "check that DVC's cache holds every result of dvc.lock", example="cache --verify"
    )
    cache.add_argument("--verify", action="store_true", help="read every file there, and compare its MD5")
    check = add_command(commands, "check", "check params.yaml: its keys, values and paths", example="check")
    add_params(check, "all its sections")
    doctor = add_command(
        commands, "doctor", "find out what this machine has, what works on it, and what to do about the rest", "doctor"
    )
    doctor.add_argument("--quick", action="store_true", help="do not train on each device, nor export")
    add_params(doctor, "its sections: model, train, export")
