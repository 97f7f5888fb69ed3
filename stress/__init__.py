"""How much the assistant bears: load, long runs, killed builds, malformed files, growth, and speed."""
