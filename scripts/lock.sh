#!/usr/bin/env bash
# Compile each requirements*.in into a file that pins every package with its hashes and names no address.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
  uv pip compile --quiet --python-version 3.11 --python-platform x86_64-manylinux_2_28 --generate-hashes --no-header "$@"
}

compile --overrides requirements-overrides.txt requirements.in -o requirements.txt
compile --overrides requirements-overrides.txt requirements-gpu.in -o requirements-gpu.txt
compile requirements-dev.in -o requirements-dev.txt
compile requirements-fuzz.in -o requirements-fuzz.txt
compile requirements-annotate.in -o requirements-annotate.txt
compile requirements-uv.in -o requirements-uv.txt
