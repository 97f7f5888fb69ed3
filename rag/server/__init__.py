"""The doors for other programs: OpenAI's protocol and plain ones over HTTP, and tools over MCP."""
