"""Weights of other projects, converted once into the files of weights/: what training can start from."""

from tasks.ground.od_api_imports import prepare_imports

prepare_imports()
