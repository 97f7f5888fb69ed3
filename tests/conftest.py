"""What all tests share."""

import signal

from tests.shell import home, run  # noqa: F401 - fixtures

# Started in the background by a shell, pytest ignores Ctrl-C, and so would the processes that tests interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
