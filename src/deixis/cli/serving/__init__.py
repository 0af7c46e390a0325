"""What commands share that answer over HTTP."""
