"""Figures from a handful of images: each is scored by a model that was trained on all the others."""
