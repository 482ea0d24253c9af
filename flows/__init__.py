"""When and where stages run. Only this package imports Prefect; DVC decides whether a stage runs."""
