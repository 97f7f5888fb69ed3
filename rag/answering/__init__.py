"""Say the answer: quote and cite it, answer questions about the collection, and write it as text or HTML."""
