"""What the pipeline does: one plain function a stage, importable and testable without DVC or Prefect."""
