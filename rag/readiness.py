"""An assistant made ready for its first questions."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

from rag.assistant import Assistant
from rag.errors import RagError

logger = logging.getLogger(__name__)


def make_ready(assistant: Assistant) -> None:
    """Load the model, and have a small corpus read ahead from then on. Raises ModelError."""
    # In a thread: llama.cpp calls back while it loads, and a Ctrl-C that comes then is lost.
    ThreadPoolExecutor().submit(assistant.warm).result()
    threading.Thread(target=_read_ahead, args=[assistant], daemon=True).start()


def _read_ahead(assistant: Assistant) -> None:
    try:
        assistant.prepare()
    except RagError as error:
        # What fails now fails again, and is told, when a question comes.
        logger.info("The articles cannot be read ahead: %s", error)
