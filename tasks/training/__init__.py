"""Training: the loop, what feeds it, the feature cache, freezing, resuming, curves and the summary of a run."""
