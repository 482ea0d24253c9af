"""Trials: the same training in several ways, over data sets, lengths and seeds, as a trials.yaml says."""
