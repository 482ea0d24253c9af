"""A trained network as files that need nothing of this project."""

from tasks.ground.od_api_imports import prepare_imports

prepare_imports()
