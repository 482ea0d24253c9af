"""Training: the loop, what feeds it, the feature cache, freezing, resuming, curves and the summary of a run."""

from tasks.ground.od_api_imports import prepare_imports

prepare_imports()
