"""What `python -m tasks predict` reads and writes."""
