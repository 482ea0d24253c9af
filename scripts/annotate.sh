#!/usr/bin/env bash
# Make .annotate/venv hold exactly Label Studio's tested set of packages. Costs nothing when it already does.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh run

venv=.annotate/venv
wanted="$(sha256sum <requirements-annotate.txt | cut -d' ' -f1)"
if [ -f "$venv/.installed" ] && [ "$(cat "$venv/.installed")" = "$wanted" ]; then exit 0; fi
echo "annotate: installing Label Studio into $venv (about 700 MB; once)" >&2
mkdir -p .annotate
log="$(mktemp)"
trap 'rm -f "$log"' EXIT
rm -f "$venv/.installed"
if [ ! -x "$venv/bin/python" ]; then .venv/bin/python -m venv --without-pip "$venv"; fi
VIRTUAL_ENV="$PWD/$venv" .venv/bin/uv pip install --no-deps --require-hashes -r requirements-annotate.txt >"$log" 2>&1 || {
  tail -n 5 "$log" >&2
  echo "annotate: Label Studio could not be installed: check the network and the free disk, then run this again" >&2
  exit 1
}
printf '%s' "$wanted" >"$venv/.installed"
