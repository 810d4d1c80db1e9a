"""Model + quantization + context + machine -> bytes per buffer and device; verdict; the frontier of what would fit."""
