"""The detector as a TensorFlow network: its pipeline.config, building, restoring and running it."""
