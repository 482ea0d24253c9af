"""Splitting a data set: near-duplicates, stratification, the memory of earlier splits, the summary of a split."""
