"""Scenes: cut-outs pasted before photographs so that they look photographed with them."""
