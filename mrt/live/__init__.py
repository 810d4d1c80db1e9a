"""What goes on right now: requests under way, endpoints, the last attempts, and money as it goes."""
