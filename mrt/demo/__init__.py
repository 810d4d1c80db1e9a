"""A first minute with mrt: its real commands, asking scripted model servers on the loopback interface."""
