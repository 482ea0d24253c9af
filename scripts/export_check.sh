#!/usr/bin/env bash
# Open every exported model in the runtimes that people deploy, without this project's code, and compare what they find
# with what `predict` finds. Usage: scripts/export_check.sh [MODEL_FOLDER [PHOTOS [COUNT]]]
set -euo pipefail
cd "$(dirname "$0")/.."
model="${1:-models/exported}" photos="${2:-}" count="${3:-50}"
scripts/setup.sh run

[ -f "$model/variants.json" ] || {
  echo "export-check: $model: no exported model here: run \`make run\` first, or name one: make export-check MODEL=folder" >&2
  exit 1
}

work=.export-check/run
rm -rf "$work"
mkdir -p "$work/photos"
# First, as it may find that something is missing, and the environment takes minutes.
PYTHONPATH=. .venv/bin/python scripts/export_check_photos.py "$model" "$work/photos" "$count" ${photos:+"$photos"}
scripts/own_environment.sh .export-check/venv requirements-export-check.txt "export-check: installing MediaPipe, LiteRT, ONNX Runtime and TensorFlow 2.20 into .export-check/venv (2.7 GB; once)"
for file in "$model" "$model"/*.tflite "$model"/*.onnx; do
  [ -e "$file" ] || continue
  .venv/bin/python -m tasks predict "$work/photos" --model "$file" --write json --score-threshold 0.05 \
    --out "$work/$(basename "$file")" --batch-size 1 >/dev/null
done
.export-check/venv/bin/python scripts/open_exported.py "$model" "$work"
