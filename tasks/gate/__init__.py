"""The data gate: checks of boxes and of data sets, what the policy does about a problem, the table of problems."""
