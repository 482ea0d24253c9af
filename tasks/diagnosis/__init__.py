"""What a machine has, what of the pipeline works on it, and what to do about the rest.

What may crash or hang (a training on a device, a write to a remote) is tried in a process of its own.
"""
