"""Servers, models and tables that the tests use: everything here is real or misbehaves on purpose."""
