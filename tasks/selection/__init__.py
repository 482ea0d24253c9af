"""Which photos to label next: how unsure a detector is of each, how unlike the labelled ones it is, and the choice."""
