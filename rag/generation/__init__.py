"""Prompts to words and odds, from llama.cpp in this process or from a server."""
