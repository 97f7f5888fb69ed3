"""Steps that block, waited for in a thread."""

import asyncio
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


async def run_in_thread(steps: Generator[T, None, None]) -> AsyncGenerator[T, None]:
    """The steps, each waited for in a thread of their own, which closes them when nobody listens any more.

    Gradio itself tries for a minute to close a generator that is running, while Stop hangs, and then gives up.
    """
    thread = ThreadPoolExecutor(max_workers=1)
    loop = asyncio.get_running_loop()
    try:
        while (step := await loop.run_in_executor(thread, next, steps, None)) is not None:
            yield step
    finally:
        thread.submit(steps.close)
        thread.shutdown(wait=False)
