#!/usr/bin/env bash
# Make .venv hold exactly the tested set. Usage: scripts/setup.sh [run|dev|gpu|fuzz]
# Costs nothing when it already does: a stamp holds the hash of the requirements files that are installed.
set -euo pipefail
cd "$(dirname "$0")/.."

kind="${1:-run}"
python="${PYTHON:-python3.11}"
venv=.venv
needed_mb=5000

fail() {
  printf 'setup: %s\n' "$1" >&2
  exit 1
}

main_file=requirements.txt
if [ "$kind" = gpu ] || [ -f "$venv/.gpu" ]; then main_file=requirements-gpu.txt; fi
files=("$main_file" requirements-uv.txt)
if [ "$kind" = dev ] || [ -f "$venv/.dev" ]; then files+=(requirements-dev.txt); fi
if [ "$kind" = fuzz ] || [ -f "$venv/.fuzz" ]; then files+=(requirements-fuzz.txt); fi

wanted="$(cat "${files[@]}" | sha256sum | cut -d' ' -f1)"
# DVC refuses a folder without git, such as an unpacked archive, unless it is told to do without.
without_git() {
  if [ ! -d .dvc ] || grep -qs no_scm .dvc/config.local; then return; fi
  local answer
  answer="$(LC_ALL=C git rev-parse --git-dir 2>&1 || true)"
  if [[ "$answer" == "fatal: not a git repository"* ]]; then
    "$venv/bin/dvc" config --local core.no_scm true || return 0
    echo "setup: no git repository here, so DVC does without one (.dvc/config.local). Experiments, comparing revisions and" >&2
    echo "setup: agents need one: git init && git add -A && git commit -m start && .venv/bin/dvc config --local --unset core.no_scm" >&2
  fi
}

if [ -f "$venv/.installed" ] && [ "$(cat "$venv/.installed")" = "$wanted" ]; then
  without_git
  exit 0
fi

command -v "$python" >/dev/null 2>&1 ||
  fail "$python was not found: TensorFlow 2.15 needs Python 3.11; install it, or say where it is: make run PYTHON=/path/to/python3.11"
version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)" ||
  fail "$python does not start: install Python 3.11, or say where it is: make run PYTHON=/path/to/python3.11"
[ "$version" = 3.11 ] ||
  fail "$python is Python $version, but TensorFlow 2.15 and this set of packages need 3.11: make run PYTHON=/path/to/python3.11"
command -v git >/dev/null 2>&1 || fail "git was not found: DVC needs it; install git"
free_mb="$(df -Pm . | awk 'NR == 2 {print $4}')"
[ "$free_mb" -ge "$needed_mb" ] ||
  fail "only $free_mb MB are free here, and the packages need $needed_mb MB: free some space, or clone to a larger disk"

log="$(mktemp)"
trap 'rm -f "$log"' EXIT
rm -f "$venv/.installed"
if [ ! -x "$venv/bin/python" ]; then
  "$python" -m venv "$venv" >"$log" 2>&1 ||
    fail "no virtual environment could be made: $(tail -n 1 "$log"); on Debian and Ubuntu: apt-get install python3.11-venv"
fi
if ! "$venv/bin/uv" --version >/dev/null 2>&1; then
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt >"$log" 2>&1 ||
    { tail -n 5 "$log" >&2; fail "the installer could not be fetched: check the network (and pip's proxy settings), then run this again"; }
fi
echo "setup: installing the tested set of packages into $venv (about 2.8 GB; once)" >&2
arguments=()
for file in "${files[@]}"; do arguments+=(-r "$file"); done
VIRTUAL_ENV="$PWD/$venv" "$venv/bin/uv" pip install --no-deps --require-hashes "${arguments[@]}" >"$log" 2>&1 ||
  { tail -n 5 "$log" >&2; fail "packages could not be installed: check the network and the free disk, then run this again; it goes on where it stopped"; }
if [ "$kind" != run ]; then touch "$venv/.$kind"; fi
printf '%s' "$wanted" >"$venv/.installed"
without_git
