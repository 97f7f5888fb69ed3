"""The index on disk: how it is written, merged, opened and searched."""
