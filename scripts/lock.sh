#!/usr/bin/env bash
# Compile each requirements*.in into a file that pins every package with its hashes and names no address. One file serves
# every Python and platform that is supported: what differs between them carries a marker.
# Usage: scripts/lock.sh [--upgrade]; without it, what is pinned stays where it can.
set -euo pipefail
cd "$(dirname "$0")/.."

options=("$@")
compile() {
  uv pip compile --quiet "${options[@]+"${options[@]}"}" --universal --python-version 3.11 --generate-hashes --no-header "$@"
}

compile --overrides requirements-overrides.txt requirements.in -o requirements.txt
compile --overrides requirements-overrides.txt --overrides requirements-overrides-gpu.txt requirements-gpu.in -o requirements-gpu.txt
compile requirements-dev.in -o requirements-dev.txt
compile requirements-fuzz.in -o requirements-fuzz.txt
compile requirements-annotate.in -o requirements-annotate.txt
compile requirements-export-check.in -o requirements-export-check.txt
compile requirements-uv.in -o requirements-uv.txt
