"""The layer-freezing study: what freezing the first blocks of a backbone saves, and what it costs."""
