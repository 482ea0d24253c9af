#!/usr/bin/env bash
# Make .venv hold exactly the tested set. Usage: scripts/setup.sh [run|dev|gpu|fuzz]
# Costs nothing when it already does: a stamp holds the hash of the requirements files that are installed.
# PYTHON=... names the interpreter; without it the newest that fits is taken (scripts/find_python.sh).
set -euo pipefail
cd "$(dirname "$0")/.."

kind="${1:-run}"
venv=.venv
needed_mb=5000

fail() {
  printf 'setup: %s\n' "$1" >&2
  exit 1
}

# The last line of a file that says something.
last_of() {
  grep -v '^[[:space:]]*$' "$1" | tail -n 1 || true
}

. scripts/find_python.sh

case "$kind" in
  run | dev | gpu | fuzz) ;;
  *) fail "$kind: no such kind of environment; there are run, dev, gpu and fuzz" ;;
esac
# uv would install elsewhere.
unset UV_SYSTEM_PYTHON UV_PYTHON UV_BREAK_SYSTEM_PACKAGES

main_file=requirements.txt
if [ "$kind" = gpu ] || [ -f "$venv/.gpu" ]; then
  main_file=requirements-gpu.txt
  needed_mb=9000
  [ "$(uname -s)" = Linux ] || fail "TensorFlow's CUDA libraries are for Linux: leave GPU=1 out"
fi
files=("$main_file" requirements-uv.txt)
if [ "$kind" = dev ] || [ -f "$venv/.dev" ]; then files+=(requirements-dev.txt); fi
if [ "$kind" = fuzz ] || [ -f "$venv/.fuzz" ]; then files+=(requirements-fuzz.txt); fi

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

hash_of_files() {
  if command -v sha256sum >/dev/null 2>&1; then cat "${files[@]}" | sha256sum; else cat "${files[@]}" | shasum -a 256; fi | cut -d' ' -f1
}

# Whether the environment has these packages, for the version of Python in $1.
is_installed() {
  [ -n "$1" ] && [ -f "$venv/.installed" ] && [ "$(cat "$venv/.installed")" = "$(hash_of_files) $1" ]
}

# An environment stays with its Python, as long as that starts and nobody asks for another one.
made_with="$(version_of "$venv/bin/python")"
if [ -z "${PYTHON:-}" ] && is_installed "$made_with"; then
  without_git
  exit 0
fi

# One at a time in a clone; where there is no flock (macOS), whoever starts two has to know.
if command -v flock >/dev/null 2>&1; then
  exec 9>.setup.lock
  flock --nonblock 9 || {
    echo "setup: waiting for another setup of this clone" >&2
    flock 9
  }
fi
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
made_with="$(version_of "$venv/bin/python")"
if [ -z "${PYTHON:-}" ] && is_supported "$made_with" && [ ! -f "$venv/.installing" ]; then
  python="$venv/bin/python" version="$made_with"
else
  find_python
fi
if [ "$made_with" = "$version" ] && is_installed "$version"; then
  without_git
  exit 0
fi

command -v git >/dev/null 2>&1 || fail "git was not found: DVC needs it; install git"
# From the end: the name of what is mounted may have blanks.
free_mb="$(df -Pm . | awk 'NR == 2 {print $(NF - 2)}')"
[ "$free_mb" -ge "$needed_mb" ] ||
  fail "only $free_mb MB are free here, and the packages need $needed_mb MB: free some space, or clone to a larger disk"

# What must go: an environment of another Python, and one in which a package may lie half unpacked.
why=
if [ -e "$venv" ] || [ -L "$venv" ]; then
  if [ -f "$venv/.installing" ]; then
    why="its installation was broken off"
  elif [ -n "$made_with" ]; then
    if [ "$made_with" != "$version" ]; then why="it has Python $made_with"; fi
  elif [ -f "$venv/pyvenv.cfg" ]; then
    why="its Python does not start any more"
  elif [ -L "$venv" ] || [ ! -d "$venv" ] || [ -n "$(ls -A "$venv")" ]; then
    fail "$venv is not an environment of this project: move it away"
  fi
fi
no_environment() {
  fail "$python could not make a virtual environment ($(last_of "$log")): on Debian and Ubuntu: apt-get install python$version-venv"
}
if [ -n "$why" ]; then
  # The old one stays until this Python has shown that it can make another.
  trial="$(mktemp -d)"
  trap 'rm -rf "$log" "$trial"' EXIT
  "$python" -m venv "$trial" >"$log" 2>&1 || no_environment
  echo "setup: $venv is made anew with Python $version: $why" >&2
  marks=()
  for mark in .dev .gpu .fuzz; do if [ -f "$venv/$mark" ]; then marks+=("$mark"); fi; done
  rm -rf "$venv"
  mkdir "$venv"
  for mark in ${marks[@]+"${marks[@]}"}; do touch "$venv/$mark"; done
fi
if [ ! -x "$venv/bin/python" ]; then
  mkdir -p "$venv"
  touch "$venv/.installing"
  "$python" -m venv "$venv" >"$log" 2>&1 || no_environment
fi
rm -f "$venv/.installed"
touch "$venv/.installing"
if ! "$venv/bin/uv" --version >/dev/null 2>&1; then
  "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt >"$log" 2>&1 ||
    { tail -n 5 "$log" >&2; fail "the installer could not be fetched: check the network (and pip's proxy settings), then run this again"; }
fi
echo "setup: bringing $venv to the tested set of packages for Python $version (3 GB where it is new)" >&2
# What an older set had, and this one has not, goes.
"$venv/bin/uv" pip sync --python "$venv/bin/python" --require-hashes "${files[@]}" >"$log" 2>&1 ||
  { tail -n 5 "$log" >&2; fail "packages could not be installed: check the network and the free disk, then run this again; what was fetched is kept"; }
# That all of it can be imported here is seen now, and Python's compiled files are written, whatever the environment says:
# else every stage would spend five seconds on compiling TensorFlow where PYTHONDONTWRITEBYTECODE is set.
# (An image's layer of packages has no code yet.)
[ ! -d tasks ] || env -u PYTHONDONTWRITEBYTECODE TF_CPP_MIN_LOG_LEVEL=3 "$venv/bin/python" -c \
  'import dvc.cli, prefect, tasks.stages.train, tasks.stages.export, tasks.stages.evaluate, tasks.stages.report' >"$log" 2>&1 ||
  { tail -n 5 "$log" >&2; fail "the packages are installed, but do not start on this machine (TensorFlow needs a CPU with AVX, and glibc 2.27): $venv/bin/python -m tasks doctor says more"; }
if [ "$kind" != run ]; then touch "$venv/.$kind"; fi
printf '%s' "$(hash_of_files) $version" >"$venv/.installed"
rm -f "$venv/.installing"
without_git
