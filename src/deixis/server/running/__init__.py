"""An application on a port of this machine, from its first connection to its graceful end."""
