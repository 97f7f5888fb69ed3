"""Training of the reader. Nothing in `rag` imports it."""
