"""The known models: what they are, where their files come from, and where they are kept."""
