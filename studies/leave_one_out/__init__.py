"""Figures from a handful of images: each is scored by a model that learned from all the others."""
