"""The chat page over the default Assistant. `python app.py` prints its address and serves it until Ctrl-C."""

import os
import sys
import threading
from typing import TYPE_CHECKING

import click

from rag import Assistant, RagError
from rag.errors import ConfigError
from rag.hardware import share_memory
from rag.ingest.documents import MAX_BYTES

if TYPE_CHECKING:
    import gradio as gr

# Gradio reads these when it is imported. It must contact no other server, and reach its own past any proxy.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
os.environ["no_proxy"] = ",".join(filter(None, [os.environ.get("no_proxy"), "localhost", "127.0.0.1"]))


def open_page(assistant: Assistant, port: int) -> "gr.Blocks":
    """Serve the page to this machine only, or to GRADIO_SERVER_NAME. Raises ConfigError if the port is in use."""
    import gradio as gr

    from rag.page.handlers import build_page
    from rag.page.layout import STYLE

    # Gradio ships this font with Latin, Greek and Cyrillic letters; others come from the reader's system.
    font = gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700))
    theme = gr.themes.Default(primary_hue="indigo", neutral_hue="slate", font=[font, "system-ui", "sans-serif"])
    # White text on a lighter button has too little contrast.
    theme.set(button_primary_background_fill="*primary_600", button_primary_background_fill_hover="*primary_700")
    page = build_page(assistant)
    try:
        page.launch(
            server_port=port,
            prevent_thread_lock=True,
            quiet=True,
            share=False,
            ssr_mode=False,
            mcp_server=False,
            enable_monitoring=False,
            run_history=False,
            footer_links=[],
            theme=theme,
            css_paths=STYLE,
            max_file_size=MAX_BYTES,
        )
    except OSError as error:
        raise ConfigError(
            f"The page cannot be served on port {port}, which may be in use. Choose another with GRADIO_SERVER_PORT."
        ) from error
    return page


def main() -> None:
    """Open the page, print its address, load the model, and serve until Ctrl-C."""
    page = None
    port = os.environ.get("GRADIO_SERVER_PORT", "7860")
    try:
        if not port.isdecimal() or not 0 < int(port) < 65536:
            raise ConfigError(f"GRADIO_SERVER_PORT must be a port number from 1 to 65535, not “{port}”. Correct it.")
        share_memory()
        assistant = Assistant.load()
        page = open_page(assistant, int(port))
        # Printed before the model is loaded, as llama.cpp silences the whole process meanwhile.
        click.echo(f"Running on local URL: {page.local_url} (press Ctrl-C to stop)")
        assistant.start()
        threading.Event().wait()
    except RagError as error:
        sys.exit(f"rag: {error}")
    except KeyboardInterrupt:
        click.echo("Stopped.")
    finally:
        if page:
            page.close(verbose=False)


if __name__ == "__main__":
    main()
