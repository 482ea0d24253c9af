"""What a person runs besides stages: `python -m tasks predict`, `compare`, `convert` and others, one module each."""
