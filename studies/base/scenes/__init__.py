"""Generated scenes: from families of outlines to photographs of things that do not exist."""
