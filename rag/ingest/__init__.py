"""Files to documents, documents to passages, passages to an index that is kept up to date."""
