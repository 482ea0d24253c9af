#!/usr/bin/env bash
# Make .annotate/venv hold exactly Label Studio's tested set of packages. Costs nothing when it already does.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh run

venv=.annotate/venv
wanted="$(sha256sum <requirements-annotate.txt | cut -d' ' -f1)"
unset UV_SYSTEM_PYTHON UV_PYTHON UV_BREAK_SYSTEM_PACKAGES # uv would install elsewhere
if "$venv/bin/python" -c "" 2>/dev/null && [ -f "$venv/.installed" ] && [ "$(cat "$venv/.installed")" = "$wanted" ]; then exit 0; fi
echo "annotate: installing Label Studio into $venv (about 700 MB; once)" >&2
mkdir -p .annotate
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
rm -f "$venv/.installed"
# An environment whose Python is gone leaves nothing to build on; --clear does nothing to a new one.
"$venv/bin/python" -c "" 2>/dev/null || .venv/bin/python -m venv --clear --without-pip "$venv"
.venv/bin/uv pip sync --python "$venv/bin/python" --require-hashes requirements-annotate.txt >"$log" 2>&1 || {
  tail -n 5 "$log" >&2
  echo "annotate: Label Studio could not be installed: check the network and the free disk, then run this again" >&2
  exit 1
}
printf '%s' "$wanted" >"$venv/.installed"
