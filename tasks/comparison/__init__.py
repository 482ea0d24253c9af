"""Two runs beside each other: what a run left behind, and what differs between two of them."""
