"""The server for other programs: OpenAI's protocol and plain endpoints over HTTP, and tools over MCP."""
