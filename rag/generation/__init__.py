"""Turn prompts into replies or into the odds of a reply, with llama.cpp in this process or on a server."""
