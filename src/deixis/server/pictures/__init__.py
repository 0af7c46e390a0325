"""Where pictures of requests come from: data URLs, uploads, and what somebody has allowed beyond that."""
