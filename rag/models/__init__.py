"""The models that are known, where their files come from, and the files once they are here."""
