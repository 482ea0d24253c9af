"""Which photos to label next: the choice of `suggest` against one by lot, labels revealed round by round."""
