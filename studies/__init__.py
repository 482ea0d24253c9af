"""Studies: pipelines beside the main one, each in a folder with a dvc.yaml of its own."""
