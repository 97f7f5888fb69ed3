"""What a statement claims, word by word, and whether a passage holds it: `verification.py` calls it a verdict."""
