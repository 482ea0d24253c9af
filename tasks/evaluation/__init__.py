"""Scoring what was exported: the exported files are run as anyone would run them."""
