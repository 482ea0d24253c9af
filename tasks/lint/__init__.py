"""Params, pipeline.config, weights and data checked against each other before training, without TensorFlow.

A check is a plain function that returns its `Finding`s; docs/config-lint.md lists them with their limits.
"""
