#!/usr/bin/env bash
# Make an environment beside the project's hold exactly a set of packages. Costs nothing when it already does.
# Usage: scripts/own_environment.sh VENV REQUIREMENTS MESSAGE
set -euo pipefail
cd "$(dirname "$0")/.."
venv="$1" requirements="$2" message="$3"

wanted="$(.venv/bin/python -c 'import hashlib, sys; print(hashlib.sha256(open(sys.argv[1], "rb").read()).hexdigest())' "$requirements")"
unset UV_SYSTEM_PYTHON UV_PYTHON UV_BREAK_SYSTEM_PACKAGES # uv would install elsewhere
if "$venv/bin/python" -c "" 2>/dev/null && [ -f "$venv/.installed" ] && [ "$(cat "$venv/.installed")" = "$wanted" ]; then exit 0; fi
echo "$message" >&2
mkdir -p "$(dirname "$venv")"
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
rm -f "$venv/.installed"
# An environment whose Python is gone leaves nothing to build on; --clear does nothing to a new one.
"$venv/bin/python" -c "" 2>/dev/null || .venv/bin/python -m venv --clear --without-pip "$venv"
.venv/bin/uv pip sync --python "$venv/bin/python" --require-hashes "$requirements" >"$log" 2>&1 || {
  tail -n 5 "$log" >&2
  echo "$venv could not be installed: check the network and the free disk, then run this again" >&2
  exit 1
}
printf '%s' "$wanted" >"$venv/.installed"
