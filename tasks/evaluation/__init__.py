"""Scoring what was exported: the exported files are run as anyone would run them."""

from tasks.ground.od_api_imports import prepare_imports

prepare_imports()
