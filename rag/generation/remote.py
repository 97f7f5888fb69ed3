"""The generator on servers with OpenAI's API. No other module imports openai."""

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

from rag.config import say_install
from rag.errors import GenerationError, ModelError
from rag.types import Reply

if TYPE_CHECKING:
    from openai import OpenAI

logger = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
CALLS = 4
RETRIES = 2
"""Retries by the client, with growing random pauses that respect Retry-After."""
REST = 30.0
"""Seconds after a failure during which a server is tried last."""
QUOTED_CHARS = 200
LIKELIEST = 20
"""The number of likeliest first tokens to request, which is the maximum of the API."""
ADDRESS = re.compile(r"https?://([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?(/[^\s?#]*)?", re.IGNORECASE)
PASSING = (408, 409, 429)
"""Status codes, besides those from 500 on, with which another server need not reply too."""
REMEDIES = {
    **dict.fromkeys((301, 302, 307, 308), "Set RAG_GENERATOR to its new address."),
    **dict.fromkeys((401, 403), "Set RAG_GENERATOR_KEY to a key that it accepts."),
    404: "RAG_GENERATOR must be its address up to /v1, and RAG_GENERATOR_MODEL a model that it offers.",
    429: "Ask again when it is less busy.",
}
Piece = TypeVar("Piece")


class _Outage(GenerationError):
    """A failure that another server need not have."""


class RemoteGenerator:
    """A Generator whose model runs in llama-server, vLLM or another server with OpenAI's API.

    Of several servers the least busy is used. If it fails before its first word, the next one takes over. After that
    none does, since its words would be different. Safe to use from several threads.
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
        """The server of each call in progress."""
        self._failed: dict[str, float] = {}
        """The time of each server's last failure, by the monotonic clock."""

    @classmethod
    def connect(
        cls,
        urls: str,
        model: str | None = None,
        key: str | None = None,
        calls: int = CALLS,
        read_seconds: float = READ_SECONDS,
    ) -> Self:
        """Return a generator on the server at `urls`, such as `http://localhost:8080/v1`, or several, by commas.

        Nothing is sent yet. `model` is the same for all servers, and by default the first that is offered. At most
        `calls` calls are in progress at a time; others wait. `read_seconds` is the timeout before the first word and
        between two words. Raises ModelError if an address or the key is malformed, or if openai is not installed.
        """
        addresses = [url.strip(" ") for url in urls.split(",")]
        if not all(map(ADDRESS.fullmatch, addresses)):
            # The message does not repeat the address, which may contain a password.
            raise ModelError(
                "A server's address is http://host:port/v1 or https://host/v1, without user, password or query. "
                "Correct RAG_GENERATOR; a key goes into RAG_GENERATOR_KEY."
            )
        if key and not re.fullmatch("[!-~]+", key):
            raise ModelError(
                "The key contains a space or another character that keys cannot have. Correct RAG_GENERATOR_KEY."
            )
        if find_spec("openai") is None:
            raise ModelError(f"{addresses[0]} needs the openai package. {say_install('server', 'openai')}")
        return cls([url.rstrip("/") for url in addresses], model, key, calls, read_seconds)

    @property
    def name(self) -> str:
        """The model and its servers; only the servers until the model is known."""
        where = ", ".join(self._urls)
        return f"{self._model} at {where}" if self._model else where

    def identify(self) -> str:
        """Return the model and its servers, asking one for its models if necessary. Raises GenerationError."""
        if not self._model:
            list(self._ask(lambda client: iter([self._choose_model(client)])))
        return self.name

    def warm(self) -> None:
        """Import the client. Nothing is sent to the servers."""
        import openai  # noqa: F401

    def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
        """Stream the reply to `prefix + suffix`, which is one user message, at temperature 0.

        Raises GenerationError. Closing the iterator closes the connection, which stops the server.
        """
        yield from self._ask(lambda client: self._speak(client, prefix + suffix, max_tokens, stop))

    def prepare(self, prefix: str) -> None:
        """Do nothing: the server manages its cache itself."""

    def weigh(self, prefixes: Sequence[str], suffix: str, replies: tuple[str, str]) -> list[float]:
        """Return the log-odds of the first of `replies`, from the likeliest first tokens. Raises GenerationError."""

        def weigh(prefix: str) -> float:
            (odds,) = self._ask(lambda client: iter([self._weigh_one(client, prefix + suffix, replies)]))
            return odds

        return [weigh(prefix) for prefix in prefixes]

    def _ask(self, call: Callable[["OpenAI"], Iterator[Piece]]) -> Iterator[Piece]:
        """Yield the pieces of a reply from the first server that begins one."""
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
                        others = "" if begun or len(self._urls) == 1 else " No other server could take over."
                        raise GenerationError(f"{outage}{others}") from None
                    logger.warning("a server failed; trying the next one", extra={"facts": {"server": url}})

    def _ask_one(self, url: str, call: Callable[["OpenAI"], Iterator[Piece]], retries: int) -> Iterator[Piece]:
        """Yield the pieces of a reply from one server. Raises _Outage, or GenerationError if others would fail too."""
        self._running.append(url)
        try:
            with _translated(url, self._key), self._open(url, retries) as client:
                yield from call(client)
        finally:
            self._running.remove(url)

    def _order(self) -> list[str]:
        """Return the servers in the order to try: the least busy first, and those that failed recently last."""
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
        # A server that shuts down, or drops this reply for another, may still end the stream regularly.
        if finish_reason is None:
            raise _Outage(
                f"The server {_locate(client)} broke off its reply. Ask again, or look for the reason in its log."
            )

    def _weigh_one(self, client: "OpenAI", prompt: str, replies: tuple[str, str]) -> float:
        completion = client.chat.completions.create(
            model=self._choose_model(client),
            messages=[{"role": "user", "content": prompt}],
            temperature=0,
            max_tokens=1,
            logprobs=True,
            top_logprobs=LIKELIEST,
        )
        logprobs = completion.choices[0].logprobs
        if not logprobs or not logprobs.content:
            raise GenerationError(
                f"The server {_locate(client)} does not return log-probabilities. Set RAG_GENERATOR to another."
            )
        likely = {one.token.strip(): one.logprob for one in reversed(logprobs.content[0].top_logprobs)}
        # A reply that is not among the likeliest is at most as likely as the last of them.
        one, other = (likely.get(reply, min(likely.values())) for reply in replies)
        return one - other

    def _open(self, url: str, retries: int) -> "OpenAI":
        """Return a client for one reply, which is closed with it so that no connection is left open."""
        import openai

        client = openai.OpenAI(
            base_url=url,
            api_key=self._key or "none",  # With None, the library would send the key in OPENAI_API_KEY.
            max_retries=retries,
            timeout=openai.Timeout(self._read_seconds, connect=CONNECT_SECONDS),
            # Questions must not reach another server, so redirects are not followed and a local server needs no proxy.
            http_client=openai.DefaultHttpxClient(follow_redirects=False, trust_env=not _is_loopback(url)),
        )
        client.organization = client.project = None  # The library takes them from OPENAI_… variables too.
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
    """Turn all errors of the client into GenerationError, or into _Outage if the request is not to blame."""
    try:
        yield
    except GenerationError:
        raise
    except Exception as error:
        # Any exception, since a malformed reply may fail anywhere in the client. The cause is dropped because it
        # contains the server's message, which may repeat the key.
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
            return f"refused the request ({words}). {REMEDIES.get(status, 'See its log.')}"
        case openai.APIError():
            return f"broke off ({words}). See its log."
        case _:
            return f"cannot be used ({words}). Check that RAG_GENERATOR is right and that it has OpenAI's API."


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
