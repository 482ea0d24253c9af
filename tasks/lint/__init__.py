"""What params, pipeline.config and data say of each other before a step is trained. Plain numbers: no TensorFlow.

A check is a plain function that gives its `Finding`s; docs/config-lint.md lists them with their limits.
"""
