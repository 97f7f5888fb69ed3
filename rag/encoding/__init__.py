"""Turn texts into vectors that depend on what a text means, not on its language."""
