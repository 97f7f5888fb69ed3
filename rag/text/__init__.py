"""What can be told of a text by itself: its language, sentences, names, and characters that nobody sees."""
