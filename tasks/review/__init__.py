"""Labels that are probably wrong: what a detector that has not learned from an image finds there, beside its labels."""
