"""Check statements against the passages that they cite."""
