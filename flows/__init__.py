"""When and where stages run. Prefect is imported here and nowhere else; whether a stage runs is DVC's decision."""
