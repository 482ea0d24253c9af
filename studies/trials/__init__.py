"""Trials: the same training in several ways, over the data sets, lengths and seeds of a trials.yaml."""
