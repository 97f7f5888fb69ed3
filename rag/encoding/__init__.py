"""Texts to vectors that depend on what a text means and not on its language."""
