"""The base: a detector that learned from generated scenes alone, packed to start others from."""
