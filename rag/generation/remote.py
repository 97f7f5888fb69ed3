"""Prompt → stream of text, from OpenAI-compatible servers; the only importer of openai."""

import ipaddress
import logging
import re
import textwrap
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Self, TypeVar
from urllib.parse import urlsplit

from rag.errors import GenerationError, ModelError
from rag.types import Reply

if TYPE_CHECKING:
    from openai import OpenAI

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
CALLS = 4
RETRIES = 2
"""Of the client, with pauses that grow, differ by chance and heed Retry-After."""
REST = 30.0
"""Seconds for which a server that failed is asked after the others."""
QUOTED_CHARS = 200
LIKELIEST = 20
"""How many first tokens a server is asked to weigh; more it does not tell."""
ADDRESS = re.compile(r"https?://([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?(/[^\s?#]*)?", re.IGNORECASE)
PASSING = (408, 409, 429)
"""Refusals, beside those from 500 on, that another server may not repeat."""
REMEDIES = {
    **dict.fromkeys((301, 302, 307, 308), "Set RAG_GENERATOR to the address that it moved to."),
    **dict.fromkeys((401, 403), "Set RAG_GENERATOR_KEY to a key that it accepts."),
    404: "RAG_GENERATOR must be its address up to /v1, and RAG_GENERATOR_MODEL a model that it offers.",
    429: "Ask again when it is less busy.",
}
Piece = TypeVar("Piece")


class _Outage(GenerationError):
    """A failure that another server may not have."""


class RemoteGenerator:
    """A Generator whose model runs in llama-server, vLLM or anything else that speaks OpenAI's protocol.

    Of several servers the least busy is asked. When it fails before its first word the next takes over; after it
    nobody does, as another would say other words. Safe to call from several threads.
    """

    def __init__(
        self, urls: Sequence[str], model: str | None, key: str | None, calls: int, read_seconds: float
    ) -> None:
        self._urls = tuple(urls)
        self._model = model
        self._key = key
        self._read_seconds = read_seconds
        self._bound = threading.BoundedSemaphore(calls)
        self._running: list[str] = []
        """The server of each call that is under way."""
        self._failed: dict[str, float] = {}
        """When a server last failed, by the monotonic clock."""

    @classmethod
    def connect(
        cls,
        urls: str,
        model: str | None = None,
        key: str | None = None,
        calls: int = CALLS,
        read_seconds: float = READ_SECONDS,
    ) -> Self:
        """A generator on the server at `urls`, such as `http://localhost:8080/v1`, or on several, separated by commas.

        Nothing is sent yet. `model` is by default the first that is offered, and the same for all servers; at most
        `calls` are made at once, and more wait; `read_seconds` bounds the silence before the first word and between
        two. Raises ModelError when an address or the key cannot be used, or when openai is not installed.
        """
        addresses = [url.strip(" ") for url in urls.split(",")]
        if not all(map(ADDRESS.fullmatch, addresses)):
            # It is not repeated: it may hold a password.
            raise ModelError(
                "A server's address is http://host:port/v1 or https://host/v1, without user, password or query. "
                "Correct RAG_GENERATOR; a key goes into RAG_GENERATOR_KEY."
            )
        if key and not re.fullmatch("[!-~]+", key):
            raise ModelError("The key holds characters that no key has, such as spaces. Correct RAG_GENERATOR_KEY.")
        if find_spec("openai") is None:
            raise ModelError(
                f"{addresses[0]} needs the openai package. In the project's folder run: pip install -e '.[server]'"
            )
        return cls([url.rstrip("/") for url in addresses], model, key, calls, read_seconds)

    @property
    def name(self) -> str:
        """The model and its servers; the servers alone until one was asked which models it offers."""
        where = ", ".join(self._urls)
        return f"{self._model} at {where}" if self._model else where

    def identify(self) -> str:
        """The model and its servers; one is asked for what it offers unless that is known. Raises GenerationError."""
        if not self._model:
            list(self._ask(lambda client: iter([self._choose_model(client)])))
        return self.name

    def warm(self) -> None:
        """Import the client; the servers are left alone until they are asked."""
        import openai  # noqa: F401

    def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
        """Stream the reply to `prefix + suffix`, sent as one user message, at temperature 0.

        Raises GenerationError. Closing the iterator closes the connection, which tells the server to stop.
        """
        yield from self._ask(lambda client: self._speak(client, prefix + suffix, max_tokens, stop))

    def prepare(self, prefix: str) -> None:
        """Nothing: what is kept between replies is the server's affair."""

    def weigh(self, prefixes: Sequence[str], suffix: str, replies: tuple[str, str]) -> list[float]:
        """The log-odds of the first of `replies`, from the server's likeliest first tokens. Raises GenerationError."""

        def weigh(prefix: str) -> float:
            (odds,) = self._ask(lambda client: iter([self._weigh_one(client, prefix + suffix, replies)]))
            return odds

        return [weigh(prefix) for prefix in prefixes]

    def _ask(self, call: Callable[["OpenAI"], Iterator[Piece]]) -> Iterator[Piece]:
        """The pieces of a reply, from the first server that begins one."""
        with self._bound:
            waiting = self._order()
            while waiting:
                url = waiting.pop(0)
                begun = False
                try:
                    for piece in self._ask_one(url, call, 0 if waiting else RETRIES):
                        begun = True
                        yield piece
                    return
                except _Outage as outage:
                    self._failed[url] = time.monotonic()
                    if begun or not waiting:
                        others = "" if begun or len(self._urls) == 1 else " No other server took over."
                        raise GenerationError(f"{outage}{others}") from None
                    logger.warning("a server is passed over", extra={"facts": {"server": url}})

    def _ask_one(self, url: str, call: Callable[["OpenAI"], Iterator[Piece]], retries: int) -> Iterator[Piece]:
        """The same from one server. Raises _Outage, or GenerationError for what others would fail at as well."""
        self._running.append(url)
        try:
            with _translated(url, self._key), self._open(url, retries) as client:
                yield from call(client)
        finally:
            self._running.remove(url)

    def _order(self) -> list[str]:
        """The servers as they are to be asked: the least busy first, and those that failed just now last."""
        now = time.monotonic()

        def rank(url: str) -> tuple[bool, int]:
            return now - self._failed.get(url, -REST) < REST, self._running.count(url)

        return sorted(self._urls, key=rank)

    def _speak(self, client: "OpenAI", prompt: str, max_tokens: int, stop: Sequence[str]) -> Iterator[str]:
        finish_reason = None
        stream = client.chat.completions.create(
            model=self._choose_model(client),
            messages=[{"role": "user", "content": prompt}],
            temperature=0,
            max_tokens=max_tokens,
            stop=list(stop) or None,
            stream=True,
        )
        for choice in (choice for chunk in stream for choice in chunk.choices):
            if choice.delta.content:
                yield choice.delta.content
            finish_reason = choice.finish_reason or finish_reason
        # A server that stops, or drops this reply for another one, may well end the stream in good order.
        if finish_reason is None:
            raise _Outage(f"The server {_locate(client)} broke off its reply. Ask again, or see why in its log.")

    def _weigh_one(self, client: "OpenAI", prompt: str, replies: tuple[str, str]) -> float:
        completion = client.chat.completions.create(
            model=self._choose_model(client),
            messages=[{"role": "user", "content": prompt}],
            temperature=0,
            max_tokens=1,
            logprobs=True,
            top_logprobs=LIKELIEST,
        )
        told = completion.choices[0].logprobs
        if not told or not told.content:
            raise GenerationError(
                f"The server {_locate(client)} does not tell how likely its replies are. Name another."
            )
        likely = {one.token.strip(): one.logprob for one in reversed(told.content[0].top_logprobs)}
        # What is not among the likeliest is at most as likely as the last of them.
        one, other = (likely.get(reply, min(likely.values())) for reply in replies)
        return one - other

    def _open(self, url: str, retries: int) -> "OpenAI":
        """A client for one reply, closed with it so that no connection is left behind."""
        import openai

        client = openai.OpenAI(
            base_url=url,
            api_key=self._key or "none",  # for None the library would send the key in OPENAI_API_KEY
            max_retries=retries,
            timeout=openai.Timeout(self._read_seconds, connect=CONNECT_SECONDS),
            # What is asked goes to this server and no other: no redirects, and no proxy within one machine.
            http_client=openai.DefaultHttpxClient(follow_redirects=False, trust_env=not _is_loopback(url)),
        )
        client.organization = client.project = None  # likewise taken from OPENAI_… variables
        return client

    def _choose_model(self, client: "OpenAI") -> str:
        if not self._model:
            offered = next(iter(client.models.list()), None)
            if offered is None:
                raise _Outage(f"The server {_locate(client)} offers no model. Load one into it.")
            self._model = offered.id
        return self._model


@contextmanager
def _translated(url: str, key: str | None) -> Iterator[None]:
    """Turn whatever the client raises into GenerationError, and into _Outage what is not the request's own fault."""
    try:
        yield
    except GenerationError:
        raise
    except Exception as error:
        # Any exception: a reply that breaks the protocol fails wherever it is used. The cause is dropped
        # because it holds the server's words, and they may repeat the key.
        kind = _Outage if _may_pass(error) else GenerationError
        raise kind(f"The server {url} {_explain(error, key)}") from None


def _explain(error: Exception, key: str | None) -> str:
    import openai

    words = str(error.__cause__ if isinstance(error, openai.APIConnectionError) else error)
    words = textwrap.shorten(words.replace(key, "…") if key else words, QUOTED_CHARS, placeholder=" …")
    match error:
        case openai.APITimeoutError():
            return "did not answer in time. Check that it can be reached and is not busy with other work."
        case openai.APIConnectionError():
            return f"cannot be reached or broke off ({words}). Check that it runs and that RAG_GENERATOR is right."
        case openai.APIStatusError(status_code=status):
            return f"refused ({words}). {REMEDIES.get(status, 'Its log says more.')}"
        case openai.APIError():
            return f"broke off ({words}). Its log says more."
        case _:
            return f"cannot be used ({words}). Check that RAG_GENERATOR is right and that it speaks OpenAI's protocol."


def _may_pass(error: Exception) -> bool:
    import openai

    status = error.status_code if isinstance(error, openai.APIStatusError) else None
    return status is None or status in PASSING or status >= 500


def _locate(client: "OpenAI") -> str:
    return str(client.base_url).rstrip("/")


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
