"""The commands of `rag`, in one module for each subject. `rag/cli.py` puts them together."""
