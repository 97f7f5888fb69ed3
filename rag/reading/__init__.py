"""Decide which of the hits hold the answer to a question."""
