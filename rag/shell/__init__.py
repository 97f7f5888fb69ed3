"""The commands of `rag`, one module for each subject. `rag/cli.py` assembles them."""
