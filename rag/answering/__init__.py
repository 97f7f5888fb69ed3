"""What the reader is told: the answer, its citations, and the forms in which it is shown."""
