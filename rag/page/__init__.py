"""The chat page: what a reader sees is said and drawn by rooms that know no Gradio; layout.py puts it onto the page."""
