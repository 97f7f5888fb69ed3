"""Texts to vectors, with the language taken out of them."""
