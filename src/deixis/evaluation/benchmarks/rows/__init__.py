"""Published files as rows: tables of several formats, and the pictures that rows name or hold."""
