"""Read PDF files: their words from PDFium, then columns, lines and paragraphs from the positions of the words."""
