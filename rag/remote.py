"""Prompt → stream of text, from an OpenAI-compatible server; the only importer of openai."""

import ipaddress
import re
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING, Self
from urllib.parse import urlsplit

from rag.errors import GenerationError, ModelError
from rag.types import Reply

if TYPE_CHECKING:
    from openai import OpenAI

CONNECT_SECONDS = 5.0
READ_SECONDS = 60.0
RETRIES = 2
QUOTED_CHARS = 200
LIKELIEST = 20
"""How many first tokens a server is asked to weigh; more it does not tell."""
ADDRESS = re.compile(r"https?://([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?(/[^\s?#]*)?", re.IGNORECASE)
REMEDIES = {
    **dict.fromkeys((301, 302, 307, 308), "Set RAG_GENERATOR to the address that it moved to."),
    **dict.fromkeys((401, 403), "Set RAG_GENERATOR_KEY to a key that it accepts."),
    404: "RAG_GENERATOR must be its address up to /v1, and RAG_GENERATOR_MODEL a model that it offers.",
    429: "Ask again when it is less busy.",
}


class RemoteGenerator:
    """A Generator whose model runs in llama-server, vLLM or anything else that speaks OpenAI's protocol."""

    def __init__(self, url: str, model: str | None, key: str | None, read_seconds: float) -> None:
        self._url = url
        self._model = model
        self._key = key
        self._read_seconds = read_seconds

    @classmethod
    def connect(
        cls, url: str, model: str | None = None, key: str | None = None, read_seconds: float = READ_SECONDS
    ) -> Self:
        """A generator on the server at `url`, such as `http://localhost:8080/v1`; nothing is sent to it yet.

        `model` is by default the first that the server offers; `read_seconds` bounds the silence before the
        first word and between two. Raises ModelError when the address or the key cannot be used, or when
        openai is not installed.
        """
        if not ADDRESS.fullmatch(url):
            # It is not repeated: it may hold a password.
            raise ModelError(
                "A server's address is http://host:port/v1 or https://host/v1, without user, password or query. "
                "Correct RAG_GENERATOR; a key goes into RAG_GENERATOR_KEY."
            )
        if key and not re.fullmatch("[!-~]+", key):
            raise ModelError("The key holds characters that no key has, such as spaces. Correct RAG_GENERATOR_KEY.")
        if find_spec("openai") is None:
            raise ModelError(f"{url} needs the openai package. Run: pip install 'rag-assistant[server]'")
        return cls(url.rstrip("/"), model, key, read_seconds)

    @property
    def name(self) -> str:
        """The model and its server; the server alone until it was asked which models it offers."""
        return f"{self._model} at {self._url}" if self._model else self._url

    def identify(self) -> str:
        """The model and its server, which is asked for what it offers unless that is known. Raises GenerationError."""
        if not self._model:
            with _translated(self._url, self._key), self._open() as client:
                self._choose_model(client)
        return self.name

    def warm(self) -> None:
        """Import the client; the server is left alone until it is asked."""
        import openai  # noqa: F401

    def generate(self, prefix: str, suffix: str, max_tokens: int, stop: Sequence[str] = ()) -> Reply:
        """Stream the reply to `prefix + suffix`, sent as one user message, at temperature 0.

        Raises GenerationError. Closing the iterator closes the connection, which tells the server to stop.
        """
        finish_reason = None
        with _translated(self._url, self._key), self._open() as client:
            stream = client.chat.completions.create(
                model=self._choose_model(client),
                messages=[{"role": "user", "content": prefix + suffix}],
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
            raise GenerationError(f"The server {self._url} broke off its reply. Ask again, or see why in its log.")

    def prepare(self, prefix: str) -> None:
        """Nothing: what is kept between replies is the server's affair."""

    def weigh(self, prefixes: Sequence[str], suffix: str, replies: tuple[str, str]) -> list[float]:
        """The log-odds of the first of `replies`, from the server's likeliest first tokens. Raises GenerationError."""
        with _translated(self._url, self._key), self._open() as client:
            return [self._weigh_one(client, prefix + suffix, replies) for prefix in prefixes]

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
            raise GenerationError(f"The server {self._url} does not tell how likely its replies are. Name another.")
        likely = {one.token.strip(): one.logprob for one in reversed(told.content[0].top_logprobs)}
        # What is not among the likeliest is at most as likely as the last of them.
        one, other = (likely.get(reply, min(likely.values())) for reply in replies)
        return one - other

    def _open(self) -> "OpenAI":
        """A client for one reply, closed with it so that no connection is left behind."""
        import openai

        client = openai.OpenAI(
            base_url=self._url,
            api_key=self._key or "none",  # for None the library would send the key in OPENAI_API_KEY
            max_retries=RETRIES,
            timeout=openai.Timeout(self._read_seconds, connect=CONNECT_SECONDS),
            # What is asked goes to this server and no other: no redirects, and no proxy within one machine.
            http_client=openai.DefaultHttpxClient(follow_redirects=False, trust_env=not _is_loopback(self._url)),
        )
        client.organization = client.project = None  # likewise taken from OPENAI_… variables
        return client

    def _choose_model(self, client: "OpenAI") -> str:
        if not self._model:
            offered = next(iter(client.models.list()), None)
            if offered is None:
                raise GenerationError(f"The server {self._url} offers no model. Load one into it.")
            self._model = offered.id
        return self._model


@contextmanager
def _translated(url: str, key: str | None) -> Iterator[None]:
    """Turn whatever the client raises into GenerationError."""
    try:
        yield
    except GenerationError:
        raise
    except Exception as error:
        # Any exception: a reply that breaks the protocol fails wherever it is used. The cause is dropped
        # because it holds the server's words, and they may repeat the key.
        raise GenerationError(f"The server {url} {_explain(error, key)}") from None


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


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
