"""Asking a server instead of a system on this machine."""
