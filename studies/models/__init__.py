"""What each model that params.yaml names can do here, and what it costs: the figures of docs/models.md."""
