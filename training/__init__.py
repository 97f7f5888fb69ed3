"""How the shipped reader was trained; nothing in `rag` imports it."""
