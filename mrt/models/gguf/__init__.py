"""GGUF files: their headers, read within bounds, from disk or over HTTP."""
