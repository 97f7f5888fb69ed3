"""Properties of a text by itself: its language, script, sentences, dates and names, and its invisible characters."""
