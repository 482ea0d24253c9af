"""Boxes drawn by hand in Label Studio: its server, and the project in it."""
