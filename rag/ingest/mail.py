"""Read mails and web pages that a browser saved as one file, which are both MIME messages."""

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from email.utils import parsedate_to_datetime

from rag.ingest.content import Content
from rag.ingest.web import read_html

NAMED = ("From", "To", "Cc", "Date")
"""The headers that are part of the text of a mail."""


def read_mail(data: bytes) -> Content:
    """Return a mail with its sender and date. Its subject is the title. Attachments are named in a warning."""
    message = BytesParser(policy=policy.default).parsebytes(data)
    subject = " ".join(str(message["subject"] or "").split())
    head = [f"{name}: {' '.join(str(message[name]).split())}" for name in NAMED if message[name]]
    body = _read_body(message)
    text = "\n\n".join(filter(None, [subject, "\n".join(head), body.text]))
    names = [part.get_filename() or part.get_content_type() for part in message.iter_attachments()]
    warning = f"Its attachments were not read: {', '.join(names)}. Save them beside it to search them."
    return Content(text, subject or None, _find_date(message), (warning,) if names else ())


def read_saved_page(data: bytes) -> Content:
    """Return a web page that a browser saved as one file. Its pictures and styles are ignored."""
    message = BytesParser(policy=policy.default).parsebytes(data)
    return _read_body(message)


def _read_body(message: EmailMessage) -> Content:
    part = message.get_body(("plain", "html"))
    if part is None:
        return Content("")
    if part.get_content_type() == "text/html":
        raw = part.get_payload(decode=True)
        return read_html(raw if isinstance(raw, bytes) else b"")
    text = str(part.get_content())
    return Content(text.replace("\r\n", "\n"))


def _find_date(message: EmailMessage) -> str | None:
    try:
        return parsedate_to_datetime(str(message["date"])).date().isoformat()
    except (ValueError, TypeError, IndexError):
        return None
