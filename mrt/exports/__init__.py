"""The configuration in other programs' words: a LiteLLM proxy's, Ollama's, a shell's."""
