"""File formats: each module turns one format into the domain and back."""
