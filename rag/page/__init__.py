"""The chat page. Only layout.py, handlers.py and api.py import Gradio; the other modules return text and HTML."""
