"""Measure how good the answers are, with typed cases, pure metrics, and runs through the public interface."""
