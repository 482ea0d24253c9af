# shellcheck shell=bash disable=SC2154 # `log` and `venv` are setup.sh's
# Sourced by setup.sh: `find_python` sets `python` to an interpreter that TensorFlow has wheels for, and `version` to its
# version; it fails with one sentence, or fetches an interpreter where the machine has none that fits.
supported=(3.13 3.12 3.11)
fetched=.python # what is fetched stays in this folder, and goes with it

# The version that an interpreter says, such as 3.12; nothing where it does not start, as a shim of pyenv's may not.
version_of() {
  "$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || true
}

is_supported() {
  local known
  for known in "${supported[@]}"; do
    if [ "$1" = "$known" ]; then return 0; fi
  done
  return 1
}

# The environment's own programs are no place to find a Python for it: it may be about to be made anew.
path_without_environment() {
  local entry kept=
  local IFS=:
  for entry in $PATH; do
    if [ "$entry" != "$PWD/$venv/bin" ]; then kept+="${kept:+:}$entry"; fi
  done
  printf '%s' "$kept"
}

find_python() {
  local outside
  outside="$(path_without_environment)"
  local PATH="$outside"
  if [ -n "${PYTHON:-}" ]; then
    version="$(version_of "$PYTHON")"
    [ -n "$version" ] || fail "PYTHON=$PYTHON was not found, or does not start: name another, or leave PYTHON out"
    is_supported "$version" ||
      fail "$PYTHON is Python $version, but TensorFlow 2.21 and this set of packages need 3.11, 3.12 or 3.13: make run PYTHON=/path/to/python3.12"
    python="$(command -v "$PYTHON")"
    return
  fi
  local name
  for name in "${supported[@]/#/python}" python3 python "$fetched"/*/bin/python3.*[0-9]; do
    version="$(version_of "$name")"
    if is_supported "$version"; then
      python="$(command -v "$name")"
      return
    fi
  done
  fetch_python
}

# Let uv fetch a Python into .python/: the uv on the PATH, or one from an environment of any other Python.
fetch_python() {
  local remedy="install one (on Ubuntu: apt-get install python3.12 python3.12-venv), or name it: make run PYTHON=/path/to/python3.12"
  local found
  found="$(version_of python3)"
  local lacking="no Python 3.13, 3.12 or 3.11 was found${found:+ (python3 is $found)}"
  [ -z "${NO_PYTHON_DOWNLOAD:-}" ] || fail "$lacking, and NO_PYTHON_DOWNLOAD forbids to fetch one: $remedy"
  [ -n "$found" ] || command -v uv >/dev/null 2>&1 || fail "$lacking: $remedy"
  echo "setup: $lacking: uv fetches Python ${supported[0]} into $fetched/ now (NO_PYTHON_DOWNLOAD=1 forbids it)" >&2
  fetch_with uv || { [ -n "$found" ] && pinned_uv && fetch_with "$fetched/uv/bin/uv"; } ||
    fail "$lacking, and uv could not fetch one ($(last_of "$log")): $remedy"
  for python in "$fetched"/*/bin/"python${supported[0]}"; do
    version="$(version_of "$python")"
    if is_supported "$version"; then return; fi
  done
  fail "$lacking, and what uv fetched does not start: $remedy"
}

fetch_with() {
  "$1" python install --quiet --install-dir "$fetched" --no-bin "${supported[0]}" >"$log" 2>&1
}

pinned_uv() {
  "$fetched/uv/bin/uv" --version >/dev/null 2>&1 || {
    python3 -m venv "$fetched/uv" &&
      "$fetched/uv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
  } >"$log" 2>&1
}
