"""Which of the hits hold the answer."""
