"""The commands of the shell, a room for those of a kind. `rag/cli.py` is the door to them."""
