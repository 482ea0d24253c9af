#!/usr/bin/env bash
# Make .annotate/venv hold exactly Label Studio's tested set of packages. Costs nothing when it already does.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/setup.sh run
scripts/own_environment.sh .annotate/venv requirements-annotate.txt "annotate: installing Label Studio into .annotate/venv (about 700 MB; once)"
