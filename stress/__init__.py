"""Measure the assistant under stress: load, long runs, killed builds, malformed files, growth, and speed."""
