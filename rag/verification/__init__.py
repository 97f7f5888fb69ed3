"""Whether a passage supports a statement, and why not."""
