"""Where `mrt` and `python -m mrt` begin."""

import signal

if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    # Ctrl-C while the first modules load just ends the process: `main` is not there yet to say so in a line.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

from mrt.cli import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
