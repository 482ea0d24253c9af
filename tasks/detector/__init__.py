"""The detector as a TensorFlow network: its pipeline.config, building, restoring and running it."""

from tasks.ground.od_api_imports import prepare_imports

prepare_imports()
