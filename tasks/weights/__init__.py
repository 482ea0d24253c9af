"""Files with weights: archives, downloads, checkpoints, packed arrays, and the bases that ship with the project."""
