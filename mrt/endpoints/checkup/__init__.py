"""A checkup of everything mrt needs: its own set-up, the servers, and the machine below."""

from mrt.endpoints.checkup.finding import Finding, Level, problems

__all__ = ["Finding", "Level", "problems"]
