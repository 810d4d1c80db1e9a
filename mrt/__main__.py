"""Run mrt as `python -m mrt`."""

from mrt.cli import main

if __name__ == "__main__":
    main()
