"""Read files as documents, split them into passages, and keep an index of them up to date."""
