"""The drawn sample data: scenes, and the things in them."""
