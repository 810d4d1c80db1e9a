"""Where code that a model wrote may run: a child process that can compute, and nothing else."""
