"""List the known models, fetch and verify their files, and read the values measured for each."""
