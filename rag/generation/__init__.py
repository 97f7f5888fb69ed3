"""Prompts to replies and to the odds of a reply, by llama.cpp in this process or by a server."""
