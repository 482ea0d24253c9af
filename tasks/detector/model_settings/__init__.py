"""What of a pipeline.config's `model` message params.yaml refuses, fills in, replaces, or has no effect on.

A module for each meta-architecture; each has the functions of `kinds.ModelSettings`. Protobuf, not TensorFlow.
"""
