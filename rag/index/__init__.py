"""The index on disk: its manifest and segments, how they are written, merged and searched."""
