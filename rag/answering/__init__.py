"""Compose answers: quote and cite articles, answer questions about the collection, and render text or HTML."""
